/// The kernel's lockdown, which takes tracing away step by step.
enum Lockdown: String {
  case off = "none"
  case integrity
  case confidentiality

  /// What securityfs says; nil where it is not mounted or the kernel has no lockdown.
  static var current: Lockdown? {
    guard let text = try? Syscalls.text(of: "/sys/kernel/security/lockdown") else { return nil }
    return Lockdown(list: text)
  }

  /// What the kernel's command line asks for; nil when it asks for nothing.
  static var requested: Lockdown? {
    guard let text = try? Syscalls.text(of: "/proc/cmdline") else { return nil }
    for word in text.split(separator: " ") where word.hasPrefix("lockdown=") {
      return Lockdown(rawValue: String(word.dropFirst(9)))
    }
    return nil
  }

  /// The file's text: all levels, the one in force in brackets.
  init?(list: String) {
    guard let word = list.split(separator: " ").first(where: { $0.hasPrefix("[") }) else {
      return nil
    }
    self.init(rawValue: String(word.dropFirst().prefix { $0 != "]" }))
  }
}

import Glibc
import ProbeEvents

/// What the recorder must know about the machine it runs on.
struct Host {
  /// The kernel, with the facts that need no probe.
  var kernel: KernelFacts
  /// Numbers of the CPUs that are online.
  var cpus: [Int32]
  /// Bytes of a page.
  var pageBytes: Int

  /// Looks at the machine.
  init() throws(RecorderError) {
    var names = utsname()
    guard unsafe uname(&names) == 0 else { throw .system(operation: "uname", errno: errno) }
    // Each field is a zero-terminated text within its 65 bytes.
    let machine = Self.text(names.machine)
    guard let architecture = Architecture(name: machine) else { throw .architecture(machine) }
    cpus = Self.onlineCPUs()
    pageBytes = sysconf(Int32(_SC_PAGESIZE))
    kernel = KernelFacts(
      architecture: architecture, release: Self.text(names.release),
      version: Self.text(names.version),
      facts: [
        KernelFact(.pageSize, String(pageBytes)), KernelFact(.cpus, String(cpus.count)),
      ])
    if let lockdown = Lockdown.current {
      kernel.set(KernelFact(.lockdown, lockdown.rawValue))
    } else if let lockdown = Lockdown.requested {
      kernel.set(KernelFact(.lockdown, lockdown.rawValue, isObserved: false))
    }
  }

  /// The list in sysfs, or where there is none the first so many CPUs.
  private static func onlineCPUs() -> [Int32] {
    if let text = try? Syscalls.text(of: "/sys/devices/system/cpu/online") {
      let cpus = numbers(inList: text)
      if !cpus.isEmpty { return cpus }
    }
    return (0..<max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))).map { Int32($0) }
  }

  /// `0-3,8` -> 0, 1, 2, 3, 8; empty when it is no such list.
  static func numbers(inList text: String) -> [Int32] {
    var numbers: [Int32] = []
    for part in text.split(separator: ",") {
      let ends = part.split(separator: "-").compactMap { Int32($0) }
      guard let first = ends.first, let last = ends.last, first <= last, last < 1 << 16 else {
        return []
      }
      numbers += first...last
    }
    return numbers
  }

  private static func text<T>(_ field: T) -> String {
    // A C array of characters, terminated by a zero within it.
    unsafe withUnsafeBytes(of: field) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}

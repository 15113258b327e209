/// What the calling thread may do, as `/proc/thread-self/status` says.
struct Privileges: Hashable {
  /// Bits of `include/uapi/linux/capability.h`.
  enum Capability: UInt64 {
    case dacOverride = 1
    case sysAdmin = 21
    case perfmon = 38
  }

  /// Effective capabilities.
  var capabilities: UInt64
  /// The seccomp mode: 2 is a filter, as containers set one.
  var seccomp: Int
  /// Whether the user namespace is not the first one: capabilities count only inside it then.
  var isInUserNamespace: Bool

  /// Those of the calling thread: credentials are a thread's.
  static var current: Privileges {
    let status = (try? Syscalls.text(of: "/proc/thread-self/status")) ?? ""
    let map = (try? Syscalls.text(of: "/proc/self/uid_map")) ?? ""
    return Privileges(status: status, userMap: map)
  }

  /// Reads the texts of `/proc/thread-self/status` and `/proc/self/uid_map`.
  init(status: String, userMap: String) {
    capabilities = 0
    seccomp = 0
    for line in status.split(separator: "\n") {
      let words = line.split { $0 == "\t" || $0 == " " }
      guard words.count == 2 else { continue }
      switch words[0] {
      case "CapEff:": capabilities = UInt64(words[1], radix: 16) ?? 0
      case "Seccomp:": seccomp = Int(words[1]) ?? 0
      default: break
      }
    }
    // The first namespace maps all 2^32 - 1 users to themselves.
    let numbers = userMap.split { $0 == " " || $0 == "\n" }
    isInUserNamespace = !numbers.isEmpty && numbers != ["0", "0", "4294967295"]
  }

  /// Whether a capability is effective.
  func has(_ capability: Capability) -> Bool {
    capabilities >> capability.rawValue & 1 != 0
  }

  /// Whether the kernel lets the process make uprobe events and open perf events on them.
  var mayTrace: Bool {
    !isInUserNamespace && (has(.sysAdmin) || has(.perfmon) && has(.dacOverride))
  }

  /// In words.
  var summary: String {
    let power = has(.sysAdmin) ? "CAP_SYS_ADMIN" : "CAP_PERFMON"
    return seccomp == 2 ? "\(power), under a seccomp filter" : power
  }
}

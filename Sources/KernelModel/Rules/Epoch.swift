/// A span of kernels whose return probes follow the same rules.
///
/// An epoch supplies defaults; rules are decided one by one, because distributions and stable
/// kernels backport. Not every step between epochs touches the return instances themselves: those
/// since ``e4`` change how the trampoline traps, which consumers' handlers run, and what happens at
/// entry sites.
public enum Epoch: Int, CaseIterable, Comparable, Sendable {
  /// 3.10 and 3.11: return probes appear. No liveness, the depth leaks, children start empty.
  case e0
  /// 3.12: the depth counts every popped instance.
  case e1
  /// 3.13 to 4.2: children of fork and vfork inherit the instances.
  case e2
  /// 4.3 to 6.10: dead instances are recognised by the stack pointer; SIGILL without an instance.
  case e3
  /// 6.11: the x86-64 trampoline enters the kernel by a system call.
  case e4
  /// 6.12: consumers are walked without a lock.
  case e5
  /// 6.13: session consumers; an instance can outlive its probe.
  case e6
  /// 6.14 to 6.17: the depth is counted down before return handlers run.
  case e7
  /// 6.18 to 7.1: x86-64 entry sites on a 5-byte nop become calls; arm64 guarded control stacks.
  case e8
  /// 7.2 and later: 10-byte nops instead.
  case e9

  /// The short name, `E3`.
  public var name: String { "E\(rawValue)" }

  /// The mainline kernels of the epoch, `4.3 - 6.10`.
  public var kernels: String {
    switch self {
    case .e0: "3.10 - 3.11"
    case .e1: "3.12"
    case .e2: "3.13 - 4.2"
    case .e3: "4.3 - 6.10"
    case .e4: "6.11"
    case .e5: "6.12"
    case .e6: "6.13"
    case .e7: "6.14 - 6.17"
    case .e8: "6.18 - 7.1"
    case .e9: "7.2 - 7.3"
    }
  }

  /// The epoch of a release as `uname -r` prints it; nil for text that is none and for kernels older
  /// than return probes (3.10). Kernels newer than all known ones count as the newest epoch.
  ///
  /// `uname -r` of a distribution may hide the stable version it is built from, and its own
  /// backports; ``ReturnProbeRules/init(kernel:)`` knows more.
  public init?(release: String) {
    guard let release = KernelRelease(release) else { return nil }
    self.init(release)
  }

  /// The epoch of a release; nil before return probes.
  init?(_ release: KernelRelease) {
    let begun = Self.allCases.last { epoch in
      let (major, minor) = epoch.firstVersion
      return KernelRelease(major: major, minor: minor) <= release
    }
    guard let begun else { return nil }
    // The only rule that sets E1 apart came to 3.10 as a backport.
    let isFixed = begun == .e0 && ReturnProbeRules.DepthAccounting.isBackported(to: release)
    self = isFixed ? .e1 : begun
  }

  /// The first mainline version of the epoch.
  private var firstVersion: (major: Int, minor: Int) {
    switch self {
    case .e0: (3, 10)
    case .e1: (3, 12)
    case .e2: (3, 13)
    case .e3: (4, 3)
    case .e4: (6, 11)
    case .e5: (6, 12)
    case .e6: (6, 13)
    case .e7: (6, 14)
    case .e8: (6, 18)
    case .e9: (7, 2)
    }
  }

  /// Orders by time.
  public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

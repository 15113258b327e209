/// A span of kernels whose kprobes follow the same rules.
///
/// Like ``Epoch`` it only supplies defaults: every rule is a named choice of its own. Some bounds
/// are known only between two kernels that were compared; the rule says so where it is defined.
public enum KprobeEpoch: Int, CaseIterable, Comparable, Sendable {
  /// 3.10 to 3.15: a list of names that must not be probed; re-entry while stepping is fatal on
  /// x86.
  case k0
  /// 3.16 to 4.18: functions are annotated against probing. arm64 joins with 4.8.
  case k1
  /// 4.19: a pre-handler that returns non-zero needs no break handler any more; jprobes are gone.
  case k2
  /// 5.0 and 5.1: whole areas are put on the blacklist.
  case k3
  /// 5.2 to 5.7: arm64 finds kprobes by its break hooks and leaves user mode alone.
  case k4
  /// 5.8 and 5.9: modules bring blacklists of their own.
  case k5
  /// 5.10: arm64 steps with a second breakpoint; return probes work in NMIs.
  case k6
  /// 5.11 and 5.12: return instances are kept per task.
  case k7
  /// 5.13: x86 steps with a second breakpoint and emulates what would not come back to it.
  case k8
  /// 5.14 to 5.17: no fault handlers.
  case k9
  /// 5.18 to 6.1: landing pads are skipped; return probes ride on rethook on x86.
  case k10
  /// 6.2 and 6.3: at least ten return instances by default.
  case k11
  /// 6.4 to 6.6: a breakpoint without a probe is nobody's.
  case k12
  /// 6.7 to 6.16: return instances from an object pool.
  case k13
  /// 6.17 to 7.1: arm64 has an entry for each class of debug exception.
  case k14
  /// 7.2 and later: arm64 survives re-entry while stepping.
  case k15

  /// The short name, `K8`.
  public var name: String { "K\(rawValue)" }

  /// The mainline version the epoch begins with, `5.13`.
  public var firstRelease: String { "\(firstVersion.major).\(firstVersion.minor)" }

  /// The first mainline version of the epoch.
  var firstVersion: (major: Int, minor: Int) {
    switch self {
    case .k0: (3, 10)
    case .k1: (3, 16)
    case .k2: (4, 19)
    case .k3: (5, 0)
    case .k4: (5, 2)
    case .k5: (5, 8)
    case .k6: (5, 10)
    case .k7: (5, 11)
    case .k8: (5, 13)
    case .k9: (5, 14)
    case .k10: (5, 18)
    case .k11: (6, 2)
    case .k12: (6, 4)
    case .k13: (6, 7)
    case .k14: (6, 17)
    case .k15: (7, 2)
    }
  }

  /// The epoch of a release as `uname -r` prints it; nil for text that is none and for kernels
  /// older than 3.10. Kernels newer than all known ones count as the newest epoch.
  public init?(release: String) {
    guard let release = KernelRelease(release) else { return nil }
    self.init(release)
  }

  /// The epoch of a release; nil before 3.10.
  init?(_ release: KernelRelease) {
    let begun = Self.allCases.last { epoch in
      let (major, minor) = epoch.firstVersion
      return KernelRelease(major: major, minor: minor) <= release
    }
    guard let begun else { return nil }
    self = begun
  }

  /// Orders by time.
  public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

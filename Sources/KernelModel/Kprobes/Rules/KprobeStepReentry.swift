internal import ProbeEvents

extension KprobeRules {
  /// What happens when a probe is hit while another probe's instruction is being stepped.
  ///
  /// Evidence: reenter_kprobe() of x86 3.15.5 against 3.16, of arm64 4.8 to 7.1 against 7.2
  /// ("arm64: kprobes: Allow reentering kprobes while single-stepping", in 6.1.189 and in
  /// 6.12.117). A third level is fatal in every version.
  public enum StepReentry: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// The kernel stops.
    case unrecoverable
    /// The inner probe is stepped without its handlers and counted as missed.
    case recoverable

    init(_ epoch: KprobeEpoch, _ architecture: Architecture) {
      switch architecture {
      case .x86_64: self = epoch < .k1 ? .unrecoverable : .recoverable
      case .aarch64: self = epoch < .k15 ? .unrecoverable : .recoverable
      }
    }

    static func isBackported(to release: KernelRelease, _ architecture: Architecture) -> Bool {
      switch architecture {
      case .x86_64: false
      case .aarch64:
        release.isStable(of: 6, 1, since: 189) || release.isStable(of: 6, 12, since: 117)
      }
    }
  }
}

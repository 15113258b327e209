internal import ProbeEvents

extension KprobeRules {
  /// How the kernel gets control back after the copied instruction.
  ///
  /// Evidence: x86 uses the trap flag in 5.11 and a breakpoint behind the copy in 5.15 (5.13 by
  /// general knowledge, no source between the two was at hand; in 5.10.190). arm64 uses the
  /// hardware's single step in 4.8 and a breakpoint in 5.10.13.
  public enum Stepping: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// By the processor's single-step trap.
    case hardware
    /// By a breakpoint behind the copy. On x86-64, instructions that would not reach it are
    /// emulated.
    case breakpoint

    init(_ epoch: KprobeEpoch, _ architecture: Architecture) {
      switch architecture {
      case .x86_64: self = epoch < .k8 ? .hardware : .breakpoint
      case .aarch64: self = epoch < .k6 ? .hardware : .breakpoint
      }
    }

    static func isBackported(to release: KernelRelease, _ architecture: Architecture) -> Bool {
      switch architecture {
      case .x86_64: release.isStable(of: 5, 10, since: 190)
      case .aarch64: false
      }
    }
  }

  /// When arm64 unmasks debug exceptions (PSTATE.D) for a hardware step.
  ///
  /// Evidence: setup_singlestep() of 4.8 does so for a re-entrant hit only, a later kernel before
  /// 5.2 for all.
  public enum DebugMask: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// For a re-entrant hit, until its step is done.
    case clearedForReentry
    /// For every step.
    case cleared

    init(_ epoch: KprobeEpoch) {
      self = epoch < .k3 ? .clearedForReentry : .cleared
    }
  }
}

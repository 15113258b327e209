extension UprobeRules {
  /// The signal for a task that hits a breakpoint which no probe explains.
  ///
  /// Evidence: "uprobes: Change handle_swbp() to send SIGTRAP with si_code=SI_KERNEL, to fix GDB
  /// regression" (5.8, stable 5.7.11; in 5.4.59, not in 5.4.18).
  public enum StrayBreakpoint: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// SIGTRAP as any process might send it: it can be blocked and ignored.
    case sent
    /// SIGTRAP, forced, `si_code` SI_KERNEL.
    case forced

    init(_ epoch: Epoch) {
      self = epoch < .e3 ? .sent : .forced
    }

    init(_ release: KernelRelease) {
      let isForced =
        release >= KernelRelease(major: 5, minor: 8)
        || release.isStable(of: 5, 7, since: 11)
        || release.isStable(of: 5, 4, since: 59)
      self = isForced ? .forced : .sent
    }
  }
}

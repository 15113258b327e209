extension ReturnProbeRules {
  /// When an arrival at the trampoline takes an instance off the task's list: what others see of the
  /// list while return handlers run.
  ///
  /// Evidence: handle_trampoline() of 6.10 sets `return_instances` after the last handler, that of
  /// 6.11 before each ("perf,uprobes: fix user stack traces in the presence of pending uretprobes",
  /// 4a365eb8a6d9).
  ///
  /// Effect: before, the list read by a return handler still names instances that are freed already.
  public enum Popping: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// The list changes when all handlers have run.
    case afterHandlers
    /// Each instance leaves the list before its handlers run.
    case beforeHandlers

    init(_ epoch: Epoch) {
      self = epoch < .e4 ? .afterHandlers : .beforeHandlers
    }
  }
}

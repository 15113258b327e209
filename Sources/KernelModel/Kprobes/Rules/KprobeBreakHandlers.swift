extension KprobeRules {
  /// Whether a breakpoint where there is no probe is offered to the running probe's break handler.
  ///
  /// Evidence: jprobes ended their handlers with a breakpoint of their own. The field is in 4.15.18
  /// and gone in 4.19. While there were any, a probe with a break handler went to the end of its
  /// aggregate, and a second one was refused with EEXIST.
  public enum BreakHandlers: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// Yes.
    case called
    /// There are none.
    case none

    init(_ epoch: KprobeEpoch) {
      self = epoch < .k2 ? .called : .none
    }
  }
}

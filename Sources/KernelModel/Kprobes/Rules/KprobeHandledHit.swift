extension KprobeRules {
  /// What becomes of the running probe when its pre-handler returns non-zero, that is when it has
  /// sent the processor elsewhere. The instruction is not stepped and no post-handler runs.
  ///
  /// Evidence: kprobe_int3_handler() and arm64's kprobe_handler() of 4.15 against 4.20 (4.19 has
  /// the change).
  ///
  /// Effect: before, the handler has to reset it. If it does not, every later hit on the processor
  /// counts as re-entry.
  public enum HandledHit: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// It stays the running probe, for its break handler (the protocol of jprobes).
    case staysRunning
    /// The kernel resets it.
    case isReset

    init(_ epoch: KprobeEpoch) {
      self = epoch < .k2 ? .staysRunning : .isReset
    }
  }
}

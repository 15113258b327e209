extension UprobeRules {
  /// What follows when an instruction was stepped but its effects cannot be set right.
  ///
  /// Evidence: handle_singlestep() sends SIGILL ("failed to execute the probed insn") since 3.16.
  public enum FailedFixUp: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// Nothing.
    case ignored
    /// SIGILL.
    case illegalInstruction

    init(_ epoch: Epoch) {
      self = epoch < .e2 ? .ignored : .illegalInstruction
    }

    init(_ release: KernelRelease) {
      self = release < KernelRelease(major: 3, minor: 16) ? .ignored : .illegalInstruction
    }
  }
}

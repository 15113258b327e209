extension UprobeRules {
  /// What happens to the probed instruction when an entry handler moves the instruction pointer.
  ///
  /// Evidence: "uprobe: Do not emulate/sstep original instruction when ip is changed" (6.18, stable
  /// 5.10.247, 6.1.159, 6.12.58).
  public enum MovedInstructionPointer: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// It is emulated or stepped all the same, from the moved instruction pointer.
    case executesAnyway
    /// It is skipped: the task goes on where the handler said.
    case skipsInstruction

    init(_ epoch: Epoch) {
      self = epoch < .e8 ? .executesAnyway : .skipsInstruction
    }

    init(_ release: KernelRelease) {
      let skips =
        release >= KernelRelease(major: 6, minor: 18)
        || release.isStable(of: 6, 12, since: 58)
        || release.isStable(of: 6, 1, since: 159)
        || release.isStable(of: 5, 10, since: 247)
      self = skips ? .skipsInstruction : .executesAnyway
    }
  }
}

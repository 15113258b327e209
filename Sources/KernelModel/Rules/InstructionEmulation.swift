extension UprobeRules {
  /// Which x86-64 instructions are emulated instead of stepped.
  ///
  /// Evidence: branch_setup_xol_ops() is in 3.16 and not in 3.15; push_setup_xol_ops() is in
  /// 4.19.78 and not in 4.15.18 (4.16 by general knowledge: no source between the two was at hand);
  /// "uprobes/x86: Accept more NOP forms" (6.18); "x86/insn,uprobes,alternative: Unify
  /// insn_is_nop()" (after 6.18). Each includes what came before, except that the last one stopped
  /// taking `pause` and `xchg %r8,%rax` for a nop.
  public enum InstructionEmulation: UInt8, Sendable, Hashable, CaseIterable, Comparable,
    BitwiseCopyable
  {
    /// The one-byte nop with operand-size prefixes.
    case plainNop
    /// Any `90` whatever its prefixes, relative jumps, conditional jumps and calls.
    case branches
    /// Pushes of a register.
    case pushes
    /// The recommended nop of each length.
    case canonicalNops
    /// Everything that provably does nothing: nops of any form, a register moved to itself, an
    /// address computed into its own register, a jump to the next instruction.
    case recognisedNops

    init(_ epoch: Epoch) {
      self =
        epoch < .e2
        ? .plainNop : epoch < .e3 ? .branches : epoch < .e8 ? .pushes : .recognisedNops
    }

    init(_ release: KernelRelease) {
      self =
        release < KernelRelease(major: 3, minor: 16)
        ? .plainNop
        : release < KernelRelease(major: 4, minor: 16)
          ? .branches
          : release < KernelRelease(major: 6, minor: 18)
            ? .pushes
            : release < KernelRelease(major: 6, minor: 19) ? .canonicalNops : .recognisedNops
    }

    /// Orders by time.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
  }
}

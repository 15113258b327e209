internal import ProbeEvents

/// What has to be put right after a copied instruction was stepped by hardware.
///
/// Kernel: arch/x86/kernel/kprobes/core.c resume_execution() (until 5.12)
public struct X86FixUp: Sendable, Hashable {
  /// Which correction.
  public var kind: Kind
  /// Whether the instruction itself changes the interrupt flag (CLI, STI, POPF, IRET).
  public var modifiesInterrupts: Bool

  /// The corrections.
  public enum Kind: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// The instruction pointer is relative to the copy.
    case plain
    /// The same, and the flags it pushed are those of the step (PUSHF).
    case pushedFlags
    /// The same, and the return address it pushed is behind the copy (CALL).
    case call
    /// Only the return address (indirect CALL).
    case indirectCall
    /// Nothing: it went where it was to go (RET, IRET, JMP to an address).
    case absolute
  }

  /// The correction an instruction needs.
  init(_ instruction: X86Instruction) {
    modifiesInterrupts = [0x9d, 0xcf, 0xfa, 0xfb].contains(instruction.opcode)
    switch instruction.opcode {
    case 0x9c: kind = .pushedFlags
    case 0xc2, 0xc3, 0xca, 0xcb, 0xcf, 0xea: kind = .absolute
    case 0xe8: kind = .call
    case 0xff:
      switch instruction.modRMRegister {
      case 2, 3: kind = .indirectCall
      case 4, 5: kind = .absolute
      default: kind = .plain
      }
    default: kind = .plain
    }
  }

  /// Corrects registers and the word at the stack pointer; decides whether the copy may run on from
  /// now on.
  func apply(
    to registers: inout KprobeRegisters, _ instruction: inout PreparedInstruction,
    from slot: Address, to address: Address, flags: UInt64
  ) {
    let end = registers.instructionPointer
    let moved = address &- slot
    switch kind {
    case .absolute:
      instruction.boost = .yes
      return
    case .indirectCall:
      registers.stackWord &+= moved
      return
    case .call: registers.stackWord &+= moved
    case .pushedFlags:
      registers.stackWord &= ~(X86_64.trapFlag | X86_64.interruptFlag)
      registers.stackWord |= flags
    case .plain: break
    }
    if instruction.boost == .afterStep {
      // There must be room for the jump, and the instruction must not have jumped.
      let isStraight = end > slot && (end &- slot) &+ 5 < X86_64.slotSize
      instruction.boost = isStraight ? .yes : .no
    }
    registers.instructionPointer = end &+ moved
  }
}

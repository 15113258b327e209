extension X86_64 {
  /// Makes the copy of a RIP-relative instruction address its memory through a scratch register,
  /// since the copy is too far away; which one is the result.
  ///
  /// The scratch register must not be one the instruction uses. `si` is no instruction's implied
  /// operand, `di` and `bx` only of one each, so what has to be avoided is what ModRM and VEX name.
  /// Only three bits of the names are compared, which at worst gives up a register for nothing.
  ///
  /// Kernel: arch/x86/kernel/uprobes.c riprel_analyze() (3.16)
  static func rewriteRIPRelative(
    _ instruction: X86Encoding, in copy: inout [UInt8]
  ) -> X86Treatment.FixUps {
    guard instruction.isRIPRelative, copy.indices.contains(instruction.modRMOffset) else {
      return []
    }
    let prefixStart = instruction.prefixes.count
    // The extension of the rm field has no effect in the original, but would in the copy.
    if instruction.rex != nil { copy[prefixStart] &= 0xfe }
    if instruction.vex.count >= 3 { copy[prefixStart + 1] |= 0x60 }

    // The second operand of VEX instructions, inverted. The two-byte form has it in its last byte,
    // where the others have it in their third.
    let vexByte = instruction.vex.prefix(3).last ?? 0xff
    let vexRegister = (vexByte >> 3 & 7) ^ 7
    let used = [instruction.reg, vexRegister]
    let (scratch, fixUp): (UInt8, X86Treatment.FixUps) =
      !used.contains(6)
      ? (6, .scratchSI) : !used.contains(7) ? (7, .scratchDI) : (3, .scratchBX)
    // From "32-bit displacement from rip" to "32-bit displacement from the register".
    copy[instruction.modRMOffset] = 0x80 | instruction.reg << 3 | scratch
    return fixUp
  }

  /// The column of the scratch register; nil when the copy needs none.
  ///
  /// Kernel: arch/x86/kernel/uprobes.c scratch_reg()
  static func scratchColumn(_ fixUps: X86Treatment.FixUps) -> Int? {
    if fixUps.contains(.scratchSI) { return X86Register.si }
    if fixUps.contains(.scratchDI) { return X86Register.di }
    if fixUps.contains(.scratchBX) { return X86Register.bx }
    return nil
  }
}

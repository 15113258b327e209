internal import ProbeEvents

extension X86_64 {
  /// Decides how a probed instruction will take effect, or why it cannot be probed.
  ///
  /// Branches and pushes are told by the first opcode byte alone. A VEX instruction has no escape
  /// byte, so those whose opcode is that of a short jump are taken for one: at a probe, `vpor`
  /// (`eb`), `vmovdqu` to memory (`7f`) and others do nothing. The live 6.18 kernel shows it.
  ///
  /// Kernel: arch/x86/kernel/uprobes.c arch_uprobe_analyze_insn(), branch_setup_xol_ops(),
  /// push_setup_xol_ops()
  static func analyzeInstruction(
    _ instruction: X86Encoding, at address: Address, rules: UprobeRules
  ) throws(UprobeRefusal) -> X86Treatment {
    let canBeOptimized = instruction.canBeOptimized(
      at: address, rules.optimizedSites, rules.emulation)
    // The ten-byte nop has a segment prefix, which only matters to instructions that are stepped.
    let isExempt = canBeOptimized && rules.optimizedSites == .nop10
    if !isExempt, let refusal = instruction.refusal { throw refusal }

    let execution: X86Treatment.Execution
    var copy = instruction.bytes
    if let branch = try branchExecution(of: instruction, rules.emulation) {
      execution = branch
      if case .call = branch { clearImmediate(of: instruction, in: &copy) }
    } else if let column = pushedColumn(of: instruction, rules.emulation) {
      execution = .push(column: column)
    } else {
      execution = .step(fixUps(of: instruction, rewriting: &copy))
    }
    return X86Treatment(
      execution: execution, length: instruction.length, copy: copy, canBeOptimized: canBeOptimized)
  }

  /// The instruction as a branch; nil when it is none.
  private static func branchExecution(
    of instruction: X86Encoding, _ emulation: UprobeRules.InstructionEmulation
  ) throws(UprobeRefusal) -> X86Treatment.Execution? {
    if instruction.isNop(emulation) {
      return .branch(opcode: instruction.opcode1, offset: instruction.immediate)
    }
    guard emulation >= .branches else { return nil }
    let execution: X86Treatment.Execution
    switch instruction.opcode1 {
    case 0xeb, 0xe9:
      execution = .branch(opcode: instruction.opcode1, offset: instruction.immediate)
    case 0xe8:
      execution = .call(offset: instruction.immediate)
    case 0x0f where instruction.opcode.count == 2 && 0x80...0x8f ~= instruction.opcode2:
      // The near form tests the same condition as the short one sixteen opcodes before.
      execution = .branch(opcode: instruction.opcode2 - 0x10, offset: instruction.immediate)
    case 0x70...0x7f:
      execution = .branch(opcode: instruction.opcode1, offset: instruction.immediate)
    default:
      return nil
    }
    // With an operand-size prefix the processors of two makers disagree about the length.
    guard !instruction.prefixes.contains(0x66) else { throw .unsupportedInstruction }
    return execution
  }

  /// The column of the register that the instruction pushes; nil when it pushes none, or has more
  /// prefixes than one REX that names r8 to r15.
  private static func pushedColumn(
    of instruction: X86Encoding, _ emulation: UprobeRules.InstructionEmulation
  ) -> Int? {
    guard emulation >= .pushes, 0x50...0x57 ~= instruction.opcode1 else { return nil }
    let number = Int(instruction.opcode1 - 0x50)
    switch instruction.length {
    case 1: return X86Register.columns[number]
    case 2 where instruction.rex == 0x41: return X86Register.columns[number + 8]
    default: return nil
    }
  }

  /// The call that is executed out of line if the return address cannot be pushed goes nowhere: it
  /// only has to fail in the same way.
  ///
  /// Kernel: arch/x86/kernel/uprobes.c branch_clear_offset()
  private static func clearImmediate(of instruction: X86Encoding, in copy: inout [UInt8]) {
    let count = min(max(instruction.immediateBytes, 0), copy.count)
    for index in copy.indices.suffix(count) { copy[index] = 0 }
  }

  /// What has to be set right around a step; the copy is changed where it would depend on its
  /// address.
  private static func fixUps(
    of instruction: X86Encoding, rewriting copy: inout [UInt8]
  ) -> X86Treatment.FixUps {
    switch instruction.opcode1 {
    case 0x9d:  // popf
      return [.instructionPointer, .trapFlag]
    case 0xc2, 0xc3, 0xca, 0xcb, 0xea:  // returns and absolute jumps
      return []
    case 0xe8:  // relative calls, before they were emulated
      return [.instructionPointer, .returnAddress]
    case 0x9a:  // absolute calls
      return .returnAddress
    case 0xff where instruction.reg == 2 || instruction.reg == 3:  // indirect calls
      return rewriteRIPRelative(instruction, in: &copy).union(.returnAddress)
    case 0xff where instruction.reg == 4 || instruction.reg == 5:  // indirect jumps
      return rewriteRIPRelative(instruction, in: &copy)
    default:
      return rewriteRIPRelative(instruction, in: &copy).union(.instructionPointer)
    }
  }
}

internal import ProbeEvents

extension AArch64 {
  /// Looks at the instruction of a site. The copy is still to be made.
  ///
  /// Kernel: arch/arm64/kernel/probes/kprobes.c arch_prepare_kprobe()
  static func prepared(
    _ word: UInt32, _ site: KprobeSite, _ rules: KprobeRules
  ) throws(KprobeError) -> PreparedInstruction {
    guard site.address & 3 == 0 else { throw .misaligned }
    if site.marks.contains(.exceptionTable) { throw .inExceptionTable }
    // An exclusive store fails when an exception came between it and its load.
    guard !site.marks.contains(.exclusiveSequence) else { throw .instructionRejected }
    let execution: PreparedInstruction.Execution
    switch decodeKprobed(ARM64Instruction(rawValue: word), rules.simulation) {
    case .stepped: execution = .stepped
    case .simulated(let simulation): execution = .simulated(simulation)
    case .rejected: throw .instructionRejected
    }
    return PreparedInstruction(
      opcode: word, length: 4, slot: nil, execution: execution, boost: .no, detour: nil)
  }

  /// Sorts an instruction under a kprobe: the kernel can read its own text, so it simulates loads of
  /// literals in all versions.
  ///
  /// Kernel: arch/arm64/kernel/probes/decode-insn.c arm_kprobe_decode_insn()
  static func decodeKprobed(
    _ instruction: ARM64Instruction, _ rules: UprobeRules.ARM64Simulation
  ) -> Decoded {
    if let literal = literalLoad(instruction) { return .simulated(literal) }
    return decodeProbed(instruction, rules)
  }

  /// Does what a kernel instruction would do in its own place.
  ///
  /// Kernel: arch/arm64/kernel/probes/kprobes.c arch_simulate_insn()
  static func simulate(
    _ prepared: PreparedInstruction, as simulation: ARM64Instruction.Simulation,
    at address: Address, on registers: inout KprobeRegisters, literals: [Address: UInt64]
  ) {
    var file = RegisterFile()
    for number in 0...linkRegister { file[number] = registers.general[number] }
    file[programCounter] = address
    var memory = KernelLiterals(words: literals)
    simulate(
      ARM64Instruction(rawValue: prepared.opcode), as: simulation, registers: &file,
      state: registers.flags, memory: &memory)
    for number in 0...linkRegister { registers.general[number] = file[number] }
    registers.instructionPointer = file[programCounter]
  }
}

/// The literals in the kernel's text, zero where none is known. Nothing is ever written there.
private struct KernelLiterals: UserMemory {
  let words: [Address: UInt64]

  func readWord(at address: Address, bytes: Int) -> UInt64? {
    let word = words[address] ?? 0
    return bytes == 8 ? word : word & 0xffff_ffff
  }

  func writeWord(_ value: UInt64, at address: Address, bytes: Int) -> Bool { false }
}

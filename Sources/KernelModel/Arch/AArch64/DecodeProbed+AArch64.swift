extension AArch64 {
  /// What can be done about an instruction under a probe, of either kind.
  enum Decoded: Sendable, Hashable {
    /// Its copy does the same as the original.
    case stepped
    /// It depends on where it is, and the kernel does what it would do.
    case simulated(ARM64Instruction.Simulation)
    /// It can be neither stepped nor simulated.
    case rejected
  }

  /// Sorts an instruction under a uprobe or a kprobe.
  ///
  /// Kernel: arch/arm64/kernel/probes/decode-insn.c arm_probe_decode_insn()
  static func decodeProbed(
    _ instruction: ARM64Instruction, _ rules: UprobeRules.ARM64Simulation
  ) -> Decoded {
    if rules >= .nop, instruction.rawValue == 0xd503_201f { return .simulated(.nop) }
    if isSteppable(instruction, rules) { return .stepped }
    if instruction.isConditionalBranch { return .simulated(.conditionalBranch) }
    if instruction.isCompareBranch { return .simulated(.compareBranch) }
    if instruction.isTestBranch { return .simulated(.testBranch) }
    if instruction.isAddress { return .simulated(.address) }
    if instruction.isBranch { return .simulated(.branch) }
    if instruction.isBranchRegister { return .simulated(.branchRegister) }
    if rules == .literalLoads, let literal = literalLoad(instruction) {
      return .simulated(literal)
    }
    return .rejected
  }

  /// How a load of a literal is simulated; nil for other instructions.
  static func literalLoad(_ instruction: ARM64Instruction) -> ARM64Instruction.Simulation? {
    if instruction.isLoadLiteral { return .loadLiteral }
    return instruction.isLoadSignedLiteral ? .loadSignedLiteral : nil
  }

  /// Whether the copy of the instruction does what the original does.
  ///
  /// Loads of a literal into a vector register pass, though they are relative to the instruction
  /// pointer like all literal loads: the kernel's mask leaves them out.
  ///
  /// Kernel: arch/arm64/kernel/probes/decode-insn.c aarch64_insn_is_steppable()
  static func isSteppable(
    _ instruction: ARM64Instruction, _ simulation: UprobeRules.ARM64Simulation
  ) -> Bool {
    guard instruction.isBranchOrSystem else {
      let usesLiteral =
        instruction.isLoadLiteral || instruction.isLoadSignedLiteral || instruction.isAddress
        || instruction.isPrefetchLiteral
      let isCopy = simulation >= .noMemoryCopies && instruction.isMemoryCopy
      return !usesLiteral && !instruction.isExclusive && !isCopy
    }
    let changesFlow =
      instruction.isBranch || instruction.isCompareBranch || instruction.isTestBranch
      || instruction.isConditionalBranch || instruction.isBranchRegister
      || instruction.isAuthenticatedBranch || instruction.isExceptionReturn
    if changesFlow || instruction.isSystemWrite || instruction.isException { return false }
    // Reading the interrupt mask would give the stepped task's; it is refused.
    if instruction.isSystemRead { return instruction.rawValue >> 5 & 0xffff != 0xda11 }
    if instruction.isHint { return instruction.isSteppableHint }
    return true
  }
}

internal import ProbeEvents

extension AArch64 {
  /// Decides how a probed instruction will take effect: simulated, or (nil) stepped.
  ///
  /// Kernel: arch/arm64/kernel/probes/uprobes.c arch_uprobe_analyze_insn(),
  /// arch/arm64/kernel/probes/decode-insn.c arm_probe_decode_insn()
  static func analyzeInstruction(
    _ instruction: ARM64Instruction, at address: Address, isCompat: Bool, rules: UprobeRules
  ) throws(UprobeRefusal) -> ARM64Instruction.Simulation? {
    guard !isCompat else { throw .compatTask(errno: rules.compatRefusal.rawValue) }
    guard address % 4 == 0 else { throw .misalignedInstruction }
    if rules.simulation >= .nop, instruction.rawValue == 0xd503_201f { return .nop }
    if isSteppable(instruction, rules.simulation) { return nil }
    if instruction.isConditionalBranch { return .conditionalBranch }
    if instruction.isCompareBranch { return .compareBranch }
    if instruction.isTestBranch { return .testBranch }
    if instruction.isAddress { return .address }
    if instruction.isBranch { return .branch }
    if instruction.isBranchRegister { return .branchRegister }
    if rules.simulation == .literalLoads {
      if instruction.isLoadLiteral { return .loadLiteral }
      if instruction.isLoadSignedLiteral { return .loadSignedLiteral }
    }
    throw .rejectedInstruction
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

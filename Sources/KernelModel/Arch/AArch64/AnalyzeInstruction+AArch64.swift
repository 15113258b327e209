internal import ProbeEvents

extension AArch64 {
  /// Decides how a probed instruction will take effect: simulated, or (nil) stepped.
  ///
  /// Kernel: arch/arm64/kernel/probes/uprobes.c arch_uprobe_analyze_insn()
  static func analyzeInstruction(
    _ instruction: ARM64Instruction, at address: Address, isCompat: Bool, rules: UprobeRules
  ) throws(UprobeRefusal) -> ARM64Instruction.Simulation? {
    guard !isCompat else { throw .compatTask(errno: rules.compatRefusal.rawValue) }
    guard address % 4 == 0 else { throw .misalignedInstruction }
    switch decodeProbed(instruction, rules.simulation) {
    case .stepped: return nil
    case .simulated(let simulation): return simulation
    case .rejected: throw .rejectedInstruction
    }
  }
}

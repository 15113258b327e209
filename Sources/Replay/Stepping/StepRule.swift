import KernelModel

/// The kernel rules that a divergence of an instruction's effect can name.
enum StepRule {
  static let optimized =
    "an optimised site changes no register (arch/x86/kernel/uprobes.c sys_uprobe())"
  static let refusal =
    "the kernel refuses to probe such an instruction (arch_uprobe_analyze_insn())"
  static let stepped =
    "a stepped instruction leaves what it does not write alone, and its fix-ups hide the copy "
  static let emulated = "an emulated instruction does what the original would "

  /// The rule by which an instruction takes effect.
  static func of(_ treatment: InstructionTreatment) -> String {
    switch treatment {
    case .x86(let treatment):
      switch treatment.execution {
      case .branch, .call: emulated + "(arch/x86/kernel/uprobes.c branch_emulate_op())"
      case .push: emulated + "(arch/x86/kernel/uprobes.c push_emulate_op())"
      case .step(let fixUps):
        fixUps.isDisjoint(with: [.scratchSI, .scratchDI, .scratchBX])
          ? stepped + "(arch/x86/kernel/uprobes.c default_post_xol_op())"
          : stepped + "(arch/x86/kernel/uprobes.c riprel_post_xol())"
      }
    case .arm64(_, nil):
      stepped + "(arch/arm64/kernel/probes/uprobes.c arch_uprobe_post_xol())"
    case .arm64:
      emulated + "(arch/arm64/kernel/probes/simulate-insn.c)"
    }
  }
}

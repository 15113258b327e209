internal import ProbeEvents

extension AArch64 {
  /// Sends the task to the copy, stepped by the hardware.
  ///
  /// Kernel: arch/arm64/kernel/probes/uprobes.c arch_uprobe_pre_xol()
  static func preXOL(registers: inout RegisterFile, step: inout SingleStep) {
    step.faultNumber = SingleStep.noFault
    registers[programCounter] = step.xolAddress
    step.isSteppingEnabled = true
  }

  /// Goes on behind the original: no instruction that changes the flow is ever stepped.
  ///
  /// Kernel: arch/arm64/kernel/probes/uprobes.c arch_uprobe_post_xol()
  static func postXOL(registers: inout RegisterFile, step: inout SingleStep) -> PostStep {
    registers[programCounter] = step.address &+ 4
    step.isSteppingEnabled = false
    return PostStep()
  }

  /// Puts the task back to the original instruction.
  ///
  /// Kernel: arch/arm64/kernel/probes/uprobes.c arch_uprobe_abort_xol()
  static func abortXOL(registers: inout RegisterFile, step: inout SingleStep) {
    registers[programCounter] = step.address
    step.isSteppingEnabled = false
  }
}

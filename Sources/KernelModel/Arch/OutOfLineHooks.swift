internal import ProbeEvents

/// The hooks of emulation and stepping, by what was decided about the instruction.
extension InstructionTreatment {
  /// Does the instruction's work without executing it; false when it has to be executed.
  ///
  /// Kernel: arch_uprobe_skip_sstep() of the architecture
  func emulateInsteadOfStepping(_ task: inout ProbedTask, memory: inout some UserMemory) -> Bool {
    switch self {
    case .x86(let treatment):
      let isDone = X86_64.emulate(
        treatment, registers: &task.registers, wordBytes: task.wordBytes, memory: &memory)
      // The processor would have trapped after the instruction, had it been executed.
      if isDone, task.registers[X86Register.flags] & X86Register.trapFlag != 0 {
        task.signals.append(.trapSent)
      }
      return isDone
    case .arm64(_, nil):
      return false
    case .arm64(let instruction, let simulation?):
      AArch64.simulate(
        instruction, as: simulation, registers: &task.registers, state: task.processorState,
        memory: &memory)
      return true
    }
  }

  /// Kernel: arch_uprobe_pre_xol() of the architecture
  func preXOL(_ task: inout ProbedTask) {
    switch self {
    case .x86(let treatment):
      X86_64.preXOL(treatment, registers: &task.registers, step: &task.step)
    case .arm64:
      AArch64.preXOL(registers: &task.registers, step: &task.step)
    }
  }

  /// Kernel: arch_uprobe_post_xol() of the architecture
  func postXOL(_ task: inout ProbedTask, memory: inout some UserMemory) -> PostStep {
    switch self {
    case .x86(let treatment):
      X86_64.postXOL(
        treatment, registers: &task.registers, step: &task.step, wordBytes: task.wordBytes,
        memory: &memory)
    case .arm64:
      AArch64.postXOL(registers: &task.registers, step: &task.step)
    }
  }

  /// Kernel: arch_uprobe_abort_xol() of the architecture
  func abortXOL(_ task: inout ProbedTask) {
    switch self {
    case .x86(let treatment):
      X86_64.abortXOL(treatment, registers: &task.registers, step: &task.step)
    case .arm64:
      AArch64.abortXOL(registers: &task.registers, step: &task.step)
    }
  }
}

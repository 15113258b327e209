internal import ProbeEvents

extension X86_64 {
  /// Sends the task to the copy, with its trap flag set.
  ///
  /// Kernel: arch/x86/kernel/uprobes.c arch_uprobe_pre_xol(), riprel_pre_xol()
  static func preXOL(
    _ treatment: X86Treatment, registers: inout RegisterFile, step: inout SingleStep
  ) {
    if case .step(let fixUps) = treatment.execution, let scratch = scratchColumn(fixUps) {
      step.savedScratch = registers[scratch]
      registers[scratch] = step.address &+ UInt64(treatment.length)
    }
    registers[X86Register.ip] = step.xolAddress
    step.savedFaultNumber = step.faultNumber
    step.faultNumber = SingleStep.noFault
    step.savedTrapFlag = registers[X86Register.flags] & X86Register.trapFlag != 0
    registers[X86Register.flags] |= X86Register.trapFlag
  }

  /// Makes it look as if the original had been executed.
  ///
  /// Kernel: arch/x86/kernel/uprobes.c arch_uprobe_post_xol(), default_post_xol_op(),
  /// branch_post_xol_op()
  static func postXOL(
    _ treatment: X86Treatment, registers: inout RegisterFile, step: inout SingleStep,
    wordBytes: Int, memory: inout some UserMemory
  ) -> PostStep {
    step.faultNumber = step.savedFaultNumber
    var result = PostStep(sendsTrap: step.savedTrapFlag)
    switch treatment.execution {
    case .step(let fixUps):
      restoreScratch(fixUps, registers: &registers, step: step)
      if fixUps.contains(.instructionPointer) {
        registers[X86Register.ip] &+= step.address &- step.xolAddress
      }
      if fixUps.contains(.returnAddress) {
        registers[X86Register.sp] &+= UInt64(wordBytes)
        let returnAddress = step.address &+ UInt64(treatment.length)
        if !push(returnAddress, registers: &registers, wordBytes: wordBytes, &memory) {
          result.restarts = true
        }
      }
      // The instruction has set or cleared the flag itself; hands off.
      if fixUps.contains(.trapFlag), !result.restarts { step.savedTrapFlag = true }
    case .call, .branch:
      // The copy of a call is only executed after its push failed, so if it went through, somebody
      // gave the stack room in between: take its push back and try again. Branches always succeed.
      registers[X86Register.sp] &+= UInt64(wordBytes)
      result.restarts = true
    case .push:
      // No fix-up was provided for a push that failed at first: the task stays in the XOL page.
      break
    }
    if result.restarts {
      registers[X86Register.ip] = step.address
      result.sendsTrap = false
    }
    clearTrapFlag(registers: &registers, step: step)
    return result
  }

  /// Puts the task back to the original instruction, as if it had never gone to the copy.
  ///
  /// Kernel: arch/x86/kernel/uprobes.c arch_uprobe_abort_xol(), default_abort_op()
  static func abortXOL(
    _ treatment: X86Treatment, registers: inout RegisterFile, step: inout SingleStep
  ) {
    if case .step(let fixUps) = treatment.execution {
      restoreScratch(fixUps, registers: &registers, step: step)
    }
    step.faultNumber = step.savedFaultNumber
    registers[X86Register.ip] = step.address
    clearTrapFlag(registers: &registers, step: step)
  }

  /// Kernel: arch/x86/kernel/uprobes.c riprel_post_xol()
  private static func restoreScratch(
    _ fixUps: X86Treatment.FixUps, registers: inout RegisterFile, step: SingleStep
  ) {
    if let scratch = scratchColumn(fixUps) { registers[scratch] = step.savedScratch }
  }

  private static func clearTrapFlag(registers: inout RegisterFile, step: SingleStep) {
    if !step.savedTrapFlag { registers[X86Register.flags] &= ~X86Register.trapFlag }
  }
}

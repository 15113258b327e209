internal import ProbeEvents

extension AArch64 {
  /// PSTATE.D: debug exceptions are masked.
  static let debugMask: UInt64 = 0x200
  /// PSTATE.I: interrupts are masked.
  static let interruptMask: UInt64 = 0x80
  /// All of PSTATE's masks (DAIF).
  static let allMasks: UInt64 = 0x3c0
  /// SPSR.SS: the next instruction is stepped.
  static let softwareStep: UInt64 = 0x20_0000

  /// Which masks a step sets and gives back.
  static func stepMasks(_ stepping: KprobeRules.Stepping) -> UInt64 {
    switch stepping {
    case .hardware: interruptMask
    case .breakpoint: allMasks
    }
  }

  /// Masks interrupts for the step: a handler of theirs would be stepped instead.
  ///
  /// Kernel: arch/arm64/kernel/probes/kprobes.c kprobes_save_local_irqflag()
  static func maskInterrupts(
    _ registers: inout KprobeRegisters, _ stepping: KprobeRules.Stepping,
    on processor: inout KprobeProcessor
  ) {
    let masks = stepMasks(stepping)
    processor.savedFlags = registers.flags & masks
    registers.flags |= masks
  }

  /// Gives the masks back.
  ///
  /// Kernel: arch/arm64/kernel/probes/kprobes.c kprobes_restore_local_irqflag()
  static func unmaskInterrupts(
    _ registers: inout KprobeRegisters, _ stepping: KprobeRules.Stepping,
    on processor: KprobeProcessor
  ) {
    registers.flags &= ~stepMasks(stepping)
    registers.flags |= processor.savedFlags
  }

  /// Undoes the set-up of a step that ends in a fault.
  ///
  /// Kernel: arch/arm64/kernel/probes/kprobes.c kprobe_fault_handler()
  static func abortStep(
    _ registers: inout KprobeRegisters, _ rules: KprobeRules, on processor: inout KprobeProcessor
  ) {
    let isReentrant = processor.status == .reentered
    if rules.stepping == .hardware {
      processor.isStepping = false
      if isReentrant && rules.debugMask == .clearedForReentry { registers.flags |= debugMask }
    }
    switch rules.faultFlags {
    case .stayMasked: break
    case .restored:
      // Not after a re-entrant hit: those stay masked.
      if !isReentrant { unmaskInterrupts(&registers, rules.stepping, on: processor) }
    }
  }
}

extension KprobeKernel {
  /// Kernel: arch/arm64/kernel/probes/kprobes.c setup_singlestep()
  func setUpStepARM(
    _ entry: KprobeEntryID, _ registers: KprobeRegisters, isReentrant: Bool,
    on processor: inout KprobeProcessor
  ) -> KprobeOutcome {
    var registers = registers
    beginStep(entry, registers, isReentrant: isReentrant, on: &processor)
    let value = table.entries[entry.rawValue]
    guard let slot = value.instruction.slot else {
      if case .simulated(let simulation) = value.instruction.execution {
        AArch64.simulate(
          value.instruction, as: simulation, at: value.address, on: &registers,
          literals: text.literals)
      } else {
        // The copy is gone with the text: the instruction is passed over.
        registers.instructionPointer = value.address &+ 4
      }
      return finishStep(entry, registers, on: &processor)
    }
    switch rules.stepping {
    case .breakpoint:
      AArch64.maskInterrupts(&registers, .breakpoint, on: &processor)
    case .hardware:
      processor.stepEnd = slot &+ 4
      switch rules.debugMask {
      case .cleared: registers.flags &= ~AArch64.debugMask
      case .clearedForReentry: if isReentrant { registers.flags &= ~AArch64.debugMask }
      }
      AArch64.maskInterrupts(&registers, .hardware, on: &processor)
      registers.flags |= AArch64.softwareStep
      processor.isStepping = true
    }
    registers.instructionPointer = slot
    return .resume(registers)
  }

  /// Kernel: arch/arm64/kernel/probes/kprobes.c kprobe_ss_hit(), kprobe_single_step_handler(),
  /// kprobe_breakpoint_ss_handler()
  mutating func stepTrapARM(
    _ registers: KprobeRegisters, on processor: inout KprobeProcessor
  ) -> KprobeOutcome {
    var registers = registers
    switch rules.stepping {
    case .hardware:
      if registers.isUser && rules.userBreakpoint == .declined { return .declined }
      guard processor.stepEnd == registers.instructionPointer else { return .declined }
      processor.stepEnd = nil
      AArch64.unmaskInterrupts(&registers, .hardware, on: processor)
      processor.isStepping = false
      if processor.status == .reentered && rules.debugMask == .clearedForReentry {
        registers.flags |= AArch64.debugMask
      }
      guard case .entry(let entry) = processor.running else { return .resume(registers) }
      registers.instructionPointer = table.entries[entry.rawValue].address &+ 4
      return finishStep(entry, registers, on: &processor)
    case .breakpoint:
      guard case .entry(let entry) = processor.running, processor.isInStep,
        let slot = table.entries[entry.rawValue].instruction.slot,
        slot &+ 4 == registers.instructionPointer
      else { return .declined }
      AArch64.unmaskInterrupts(&registers, .breakpoint, on: processor)
      registers.instructionPointer = table.entries[entry.rawValue].address &+ 4
      return finishStep(entry, registers, on: &processor)
    }
  }
}

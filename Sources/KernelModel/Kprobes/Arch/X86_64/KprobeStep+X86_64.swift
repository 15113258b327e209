internal import ProbeEvents

extension X86_64 {
  /// The trap flag.
  static let trapFlag: UInt64 = 0x100
  /// The interrupt flag.
  static let interruptFlag: UInt64 = 0x200
  /// Bytes a copy of an instruction may take (MAX_INSN_SIZE).
  static let slotSize: UInt64 = 16

  /// Goes back over a breakpoint that has gone, to execute what is there now.
  static func backedUp(_ registers: KprobeRegisters) -> KprobeRegisters {
    var registers = registers
    registers.instructionPointer &-= 1
    return registers
  }

  /// Remembers the flags of a hit.
  ///
  /// Kernel: arch/x86/kernel/kprobes/core.c set_current_kprobe()
  static func saveFlags(
    _ registers: KprobeRegisters, of instruction: PreparedInstruction,
    _ stepping: KprobeRules.Stepping, on processor: inout KprobeProcessor
  ) {
    switch stepping {
    case .breakpoint:
      processor.oldFlags = registers.flags & interruptFlag
      processor.savedFlags = processor.oldFlags
    case .hardware:
      processor.oldFlags = registers.flags & (trapFlag | interruptFlag)
      processor.savedFlags = processor.oldFlags
      // What the instruction makes of the interrupt flag must not be undone.
      if case .fixedUp(let fixUp) = instruction.execution, fixUp.modifiesInterrupts {
        processor.savedFlags &= ~interruptFlag
      }
    }
  }
}

extension KprobeKernel {
  /// Kernel: arch/x86/kernel/kprobes/core.c setup_singlestep(), arch/x86/kernel/kprobes/opt.c
  /// setup_detour_execution()
  func setUpStepX86(
    _ entry: KprobeEntryID, _ registers: KprobeRegisters, isReentrant: Bool,
    on processor: inout KprobeProcessor
  ) -> KprobeOutcome {
    var registers = registers
    let value = table.entries[entry.rawValue]
    let instruction = value.instruction
    if table.flags(of: entry).contains(.optimized), let detour = instruction.detour {
      // The breakpoint was met before, or while, the jump was put in.
      if !isReentrant { processor.running = .none }
      registers.instructionPointer = detour
      return .resume(registers)
    }
    let hasPost = rules.stepping == .hardware && table.hasPostHandler(entry)
    if !configuration.isPreemptible, instruction.boost == .yes, !hasPost,
      let slot = instruction.slot
    {
      // Nothing to come back for: the copy runs on. The status stays what it was.
      if !isReentrant { processor.running = .none }
      registers.instructionPointer = slot
      return .resume(registers)
    }
    beginStep(entry, registers, isReentrant: isReentrant, on: &processor)

    switch instruction.execution {
    case .emulated(let emulation):
      emulation.run(on: &registers, length: instruction.length)
      return finishStep(entry, registers, on: &processor)
    case .ftrace:
      registers.instructionPointer = value.address &+ instruction.length
      return finishStep(entry, registers, on: &processor)
    case .simulated, .stepped, .fixedUp:
      break
    }
    guard let slot = instruction.slot else { return .stop(.noCopy) }
    registers.flags &= ~X86_64.interruptFlag
    registers.instructionPointer = slot
    switch rules.stepping {
    case .breakpoint: break
    case .hardware:
      registers.flags |= X86_64.trapFlag
      // A breakpoint somebody else put there is stepped where it is.
      if instruction.opcode == 0xcc { registers.instructionPointer = value.address }
    }
    return .resume(registers)
  }

  /// The breakpoint behind a copy, if this is it: nil when it is another one.
  ///
  /// After a fault in a step the status still says that one is going on, though no probe is
  /// running; the kernel does not ask.
  ///
  /// Kernel: arch/x86/kernel/kprobes/core.c kprobe_int3_handler(), resume_singlestep()
  func secondBreakpoint(
    _ registers: KprobeRegisters, on processor: inout KprobeProcessor
  ) -> KprobeOutcome? {
    let entry: KprobeEntryID
    switch processor.running {
    case .none: return .stop(.noRunningProbe)
    case .busy, .returnProbe: return nil
    case .entry(let running): entry = running
    }
    let value = table.entries[entry.rawValue]
    guard let slot = value.instruction.slot else { return nil }
    let distance = registers.instructionPointer &- slot
    guard distance > 0, distance < X86_64.slotSize else { return nil }
    var registers = registers
    registers.flags |= processor.savedFlags
    registers.instructionPointer = value.address &+ distance &- 1
    return finishStep(entry, registers, on: &processor)
  }

  /// Kernel: arch/x86/kernel/kprobes/core.c kprobe_debug_handler() (until 5.12)
  mutating func stepTrapX86(
    _ registers: KprobeRegisters, on processor: inout KprobeProcessor
  ) -> KprobeOutcome {
    guard rules.stepping == .hardware, case .entry(let entry) = processor.running else {
      return .declined
    }
    var registers = registers
    registers.flags &= ~X86_64.trapFlag
    var instruction = table.entries[entry.rawValue].instruction
    if case .fixedUp(let fixUp) = instruction.execution, let slot = instruction.slot {
      fixUp.apply(
        to: &registers, &instruction, from: slot, to: table.entries[entry.rawValue].address,
        flags: processor.oldFlags)
      table.entries[entry.rawValue].instruction.boost = instruction.boost
    }
    registers.flags |= processor.savedFlags
    return finishStep(entry, registers, on: &processor)
  }
}

internal import ProbeEvents

extension KprobeKernel {
  /// A processor has come through the jump of an optimised probe. There is no step and there are no
  /// post-handlers: the detour executes the instructions the jump took the place of.
  ///
  /// Kernel: arch/x86/kernel/kprobes/opt.c optimized_callback()
  public mutating func optimizedHit(
    _ entry: KprobeEntryID, _ registers: KprobeRegisters, on processor: inout KprobeProcessor
  ) -> KprobeOutcome {
    guard let value = table[entry] else { return .declined }
    guard !table.flags(of: entry).contains(.disabled) else { return .resume(registers) }
    guard processor.running == .none else {
      table.countMissed(entry)
      return .resume(registers)
    }
    var registers = registers
    // As if it had been a breakpoint.
    registers.instructionPointer = value.address &+ 1
    processor.running = .entry(entry)
    processor.status = .active
    return optimizedPre(value.members, of: entry, registers, on: &processor)
  }

  /// Calls the next pre-handler; what the last one returned does not matter.
  ///
  /// Kernel: kernel/kprobes.c opt_pre_handler()
  func optimizedPre(
    _ members: [KprobeID], of entry: KprobeEntryID, _ registers: KprobeRegisters,
    on processor: inout KprobeProcessor
  ) -> KprobeOutcome {
    if let outcome = call(.optimizedPre, among: members, of: entry, registers, on: &processor) {
      return outcome
    }
    processor.running = .none
    return .resume(registers)
  }
}

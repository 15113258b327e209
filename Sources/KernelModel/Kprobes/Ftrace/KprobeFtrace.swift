public import ProbeEvents

extension KprobeKernel {
  /// The function tracer has called kprobes at the start of a function.
  ///
  /// Nothing is stepped: the tracer's call is a nop to the probe. A handler finds the instruction
  /// pointer as a breakpoint would have left it.
  ///
  /// - Parameters:
  ///   - address: the tracer's call.
  ///   - isRecursing: whether the tracer refuses to be re-entered; then the hit is not even
  ///     counted.
  ///
  /// Kernel: arch/x86/kernel/kprobes/ftrace.c kprobe_ftrace_handler()
  public mutating func ftraceHit(
    _ address: Address, _ registers: KprobeRegisters, isRecursing: Bool = false,
    on processor: inout KprobeProcessor
  ) -> KprobeOutcome {
    guard !isRecursing, let entry = table.lookUp(address),
      !table.flags(of: entry).contains(.disabled)
    else { return .resume(registers) }
    guard processor.running == .none else {
      table.countMissed(entry)
      return .resume(registers)
    }
    var registers = registers
    processor.ftraceReturn = registers.instructionPointer
    registers.instructionPointer = address &+ rules.breakpointLength
    processor.running = .entry(entry)
    processor.status = .active
    let members = table.entries[entry.rawValue].members
    return call(.ftracePre, among: members, of: entry, registers, on: &processor)
      ?? ftraceStep(entry, registers, on: &processor)
  }

  func ftracePreReturned(
    _ result: Int32, _ call: KprobeCall, _ registers: KprobeRegisters,
    on processor: inout KprobeProcessor
  ) -> KprobeOutcome {
    if result != 0 { return handled(registers, on: &processor) }
    if table.entries[call.entry.rawValue].isAggregate { processor.instance = nil }
    return self.call(
      .ftracePre, among: call.remaining, of: call.entry, registers, on: &processor)
      ?? ftraceStep(call.entry, registers, on: &processor)
  }

  /// The call counts as stepped over.
  private func ftraceStep(
    _ entry: KprobeEntryID, _ registers: KprobeRegisters, on processor: inout KprobeProcessor
  ) -> KprobeOutcome {
    var registers = registers
    let value = table.entries[entry.rawValue]
    registers.instructionPointer = value.address &+ value.instruction.length
    if table.hasPostHandler(entry) {
      processor.status = .done
      if let outcome = call(
        .ftracePost, among: value.members, of: entry, registers, on: &processor)
      {
        return outcome
      }
    }
    return ftraceDone(registers, on: &processor)
  }

  func ftracePostReturned(
    _ call: KprobeCall, _ registers: KprobeRegisters, on processor: inout KprobeProcessor
  ) -> KprobeOutcome {
    if table.entries[call.entry.rawValue].isAggregate { processor.instance = nil }
    return self.call(
      .ftracePost, among: call.remaining, of: call.entry, registers, on: &processor)
      ?? ftraceDone(registers, on: &processor)
  }

  /// Whatever the post-handlers did to the instruction pointer, the tracer's call is returned from.
  private func ftraceDone(
    _ registers: KprobeRegisters, on processor: inout KprobeProcessor
  ) -> KprobeOutcome {
    var registers = registers
    registers.instructionPointer = processor.ftraceReturn
    processor.running = .none
    return .resume(registers)
  }
}

extension KprobeRules {
  /// The length of a breakpoint in bytes (`kprobe_opcode_t`).
  var breakpointLength: UInt64 {
    switch architecture {
    case .x86_64: 1
    case .aarch64: 4
    }
  }
}

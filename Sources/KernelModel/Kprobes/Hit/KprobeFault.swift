internal import ProbeEvents

extension KprobeKernel {
  /// A page fault in kernel mode.
  ///
  /// - Parameters:
  ///   - trap: the trap's number, for fault handlers.
  ///   - hasFixUp: whether the exception table has a fix-up for the instruction.
  ///   - isPreemptible: whether the processor could have been taken away; then no probe is running.
  ///
  /// Kernel: include/linux/kprobes.h kprobe_page_fault(), and kprobe_fault_handler() of the
  /// architecture
  public mutating func fault(
    _ registers: KprobeRegisters, trap: Int32 = 14, hasFixUp: Bool = false,
    isPreemptible: Bool = false, on processor: inout KprobeProcessor
  ) -> KprobeOutcome {
    guard !registers.isUser, !isPreemptible, processor.running != .none else { return .declined }
    let instruction = runningInstruction(on: processor)
    let isAtCopy =
      instruction?.slot.map { $0 == registers.instructionPointer } ?? false
    switch rules.architecture {
    case .x86_64:
      if isAtCopy { return faultInStep(registers, on: &processor) }
      switch processor.status {
      case .active, .done:
        return faultInHandler(registers, trap: trap, hasFixUp: hasFixUp, on: &processor)
      case .none, .stepping, .reentered: return .passOn(registers)
      }
    case .aarch64:
      switch (processor.status, rules.stepFault) {
      case (.stepping, .anywhere), (.reentered, .anywhere):
        return faultInStep(registers, on: &processor)
      case (.stepping, .onlyAtCopy), (.reentered, .onlyAtCopy):
        return isAtCopy ? faultInStep(registers, on: &processor) : .passOn(registers)
      case (.active, .anywhere), (.active, .onlyAtCopy), (.done, .anywhere), (.done, .onlyAtCopy):
        return faultInHandler(registers, trap: trap, hasFixUp: hasFixUp, on: &processor)
      case (.none, .anywhere), (.none, .onlyAtCopy): return .passOn(registers)
      }
    }
  }

  /// The stepped instruction has faulted: the probe is given up for this hit, and the fault is
  /// dealt with as if the instruction had faulted where it belongs. It will be hit again.
  private func faultInStep(
    _ registers: KprobeRegisters, on processor: inout KprobeProcessor
  ) -> KprobeOutcome {
    var registers = registers
    registers.instructionPointer = runningAddress(on: processor) ?? 0
    switch rules.architecture {
    case .x86_64:
      if rules.stepping == .hardware { registers.flags &= ~X86_64.trapFlag }
      registers.flags |= processor.oldFlags
      endStep(on: &processor)
    case .aarch64:
      guard registers.instructionPointer != 0 else { return .stop(.probeAtZero) }
      AArch64.abortStep(&registers, rules, on: &processor)
      endStep(on: &processor)
    }
    return .passOn(registers)
  }

  private func endStep(on processor: inout KprobeProcessor) {
    if processor.status == .reentered {
      processor.restorePrevious()
    } else {
      processor.running = .none
    }
  }

  /// A handler has faulted.
  private mutating func faultInHandler(
    _ registers: KprobeRegisters, trap: Int32, hasFixUp: Bool, on processor: inout KprobeProcessor
  ) -> KprobeOutcome {
    switch rules.handlerFault {
    case .ordinary: return .passOn(registers)
    case .asksExceptionTable: return hasFixUp ? .resume(registers) : .passOn(registers)
    case .asksFaultHandler: break
    }
    switch processor.running {
    case .none, .busy: break
    case .returnProbe(let id):
      if table[id] != nil { table.probes[id.rawValue].missed &+= 1 }
    case .entry(let entry):
      table.countMissed(entry)
      let value = table.entries[entry.rawValue]
      // In an aggregate, only the member whose handler it was is asked.
      let asked = value.isAggregate ? processor.instance : value.members.first
      if let asked, table.probes[asked.rawValue].handlers.contains(.fault) {
        let call = KprobeCall(
          handler: .fault, probe: asked, entry: entry, remaining: [], hasFixUp: hasFixUp,
          trap: trap)
        processor.calls.append(call)
        return .call(call, registers)
      }
    }
    return hasFixUp ? .resume(registers) : .passOn(registers)
  }

  /// The instruction of the running probe.
  func runningInstruction(on processor: KprobeProcessor) -> PreparedInstruction? {
    switch processor.running {
    case .none, .busy: nil
    case .entry(let entry): table[entry]?.instruction
    case .returnProbe(let id): table[id]?.instruction
    }
  }

  /// Where the running probe is; nil without one, or when its owner has cleared the address.
  func runningAddress(on processor: KprobeProcessor) -> Address? {
    switch processor.running {
    case .none, .busy: nil
    case .entry(let entry): table[entry]?.address
    case .returnProbe(let id): table[id]?.address
    }
  }
}

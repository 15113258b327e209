internal import ProbeEvents

extension Uprobes {
  /// Runs the entry handlers of a hit and does what they decided.
  ///
  /// Kernel: kernel/events/uprobes.c handler_chain()
  mutating func runHandlers(
    _ task: inout ProbedTask, of probe: UprobeIdentity, now: UInt64,
    memory: inout some UserMemory, handle: (Consumer, inout RegisterFile) -> HandlerCall
  ) {
    guard let index = probeIndex(probe) else { return }
    var registers = task.registers
    let conclusion = rules.runHandlerChain(probes[index].consumers) { handle($0, &registers) }
    task.registers = registers
    for _ in conclusion.warned { warnings.append(.badHandlerResult) }
    if conclusion.wantsReturn {
      prepareReturn(
        &task, of: probe, waiting: conclusion.waiting, now: now, memory: &memory)
    }
    guard conclusion.asksForRemoval else { return }
    switch rules.handlerChain {
    case .removeBit:
      unapply(probe, space: task.space)
    case .removeBitFiltered, .sessions:
      // Asked again, now that nobody can come or go.
      if !filterChain(probe, space: task.space) { unapply(probe, space: task.space) }
    }
  }

  /// Makes a return instance, and keeps beside it what the return will need.
  ///
  /// The memory of the return slot is read and written here; what that means for the instances is
  /// decided by ``UprobeTask/handleBreakpoint(_:rules:)``.
  ///
  /// Kernel: kernel/events/uprobes.c prepare_uretprobe()
  private mutating func prepareReturn(
    _ task: inout ProbedTask, of probe: UprobeIdentity, waiting: [ReturnConsumer], now: UInt64,
    memory: inout some UserMemory
  ) {
    guard ensureXOLArea(in: task.space),
      let trampoline = spaces[task.space].xolArea?.trampoline,
      task.returns.returnInstances.depth < ReturnInstanceStack.capacity,
      holdsProbe(probe),
      let original = replaceReturnAddress(of: &task, by: trampoline, memory: &memory)
    else { return }
    let layout = rules.architecture.registerLayout
    let conclusion = task.returns.handleBreakpoint(
      EntryCause(
        instructionPointer: task.registers[layout.instructionPointer],
        stackPointer: task.registers[layout.stackPointer], returnAddress: original,
        trampoline: trampoline, entry: task.lastEntry &+ 1, wantsReturn: true,
        isCompat: task.isCompat),
      rules: rules.returns)
    for dropped in task.pending.prefix(Int(conclusion.dropped)) { endHold(dropped) }
    task.pending.removeFirst(min(Int(conclusion.dropped), task.pending.count))
    switch conclusion.outcome {
    case .pushed, .chained:
      task.lastEntry &+= 1
      var hold = HybridProbe(stable: true)
      if rules.handlerChain == .sessions {
        hold = HybridProbe()
        task.timer.arm(atMilliseconds: now)
      } else {
        _ = takeReference(probe)
      }
      task.pending.insert(
        PendingReturn(entry: task.lastEntry, probe: probe, waiting: waiting, hold: hold), at: 0)
    case .chainWithoutInstance:
      warnings.append(.tailCall)
    case .noReturnProbe, .omittedAtDepthLimit, .hijackFailed:
      break
    }
  }

  /// In 6.12 a probe about to go gets no return instance; before there is always a reference, and
  /// after that a lease does without one.
  private func holdsProbe(_ probe: UprobeIdentity) -> Bool {
    guard rules.handlerChain == .removeBitFiltered else { return true }
    return probeIndex(probe).map { probes[$0].references > 0 } ?? false
  }

  /// Puts the trampoline in the place of the return address; the address, or nil when it cannot be
  /// read or written. A word that is the trampoline already is not written.
  ///
  /// Kernel: arch/x86/kernel/uprobes.c, arch/arm64/kernel/probes/uprobes.c
  /// arch_uretprobe_hijack_return_addr()
  private func replaceReturnAddress(
    of task: inout ProbedTask, by trampoline: Address, memory: inout some UserMemory
  ) -> Address? {
    let layout = rules.architecture.registerLayout
    if let link = layout.linkRegister {
      let original = task.registers[link]
      task.registers[link] = trampoline
      return original
    }
    let bytes = task.isCompat ? Int(rules.returns.compatWordSize.rawValue) : 8
    let slot = task.registers[layout.stackPointer]
    guard let original = memory.readWord(at: slot, bytes: bytes) else { return nil }
    guard original != trampoline else { return original }
    return memory.writeWord(trampoline, at: slot, bytes: bytes) ? original : nil
  }
}

internal import ProbeEvents

extension Uprobes {
  /// Handles an arrival at the return trampoline: pops what has returned, runs the return handlers
  /// of those that are valid, and lets go of their probes.
  ///
  /// Kernel: kernel/events/uprobes.c handle_trampoline(), uprobe_handle_trampoline(),
  /// handle_uretprobe_chain(), free_ret_instance()
  mutating func handleTrampoline(
    _ task: inout ProbedTask, memory: inout some UserMemory
  ) -> HitOutcome {
    let layout = rules.architecture.registerLayout
    var popped = PoppedInstances()
    let conclusion = task.returns.handleTrampoline(
      TrampolineArrival(
        stackPointer: task.registers[layout.stackPointer], isCompat: task.isCompat),
      rules: rules.returns, popped: &popped)
    var calls: [ReturnHandlerCall] = []
    for index in 0..<popped.count {
      // Both lists are popped from the newest on.
      guard let place = task.pending.firstIndex(where: { $0.entry == popped[index].entry }) else {
        continue
      }
      let pending = task.pending.remove(at: place)
      if popped[index].handlersRan { calls += returnCalls(of: pending) }
      endHold(pending)
    }
    switch conclusion {
    case .returned(let target):
      task.registers[layout.instructionPointer] = target
    case .signal:
      warnings.append(.noReturnInstance)
      switch rules.returns.noInstanceSignal {
      case .trap: task.signals.append(.trapSent)
      case .forcedIllegal, .forcedIllegalFromKernel: task.signals.append(.illegal)
      }
    }
    return .trampoline(conclusion, handlers: calls)
  }

  /// The return handlers that run for one instance: none if its probe is gone.
  private func returnCalls(of pending: PendingReturn) -> [ReturnHandlerCall] {
    var hold = pending.hold
    guard hold.consume().isThere, let index = probeIndex(pending.probe) else { return [] }
    return rules.returnHandlers(of: probes[index].consumers, waiting: pending.waiting)
  }

  /// Lets go of the probe of an instance that is no more.
  mutating func endHold(_ pending: PendingReturn) {
    var hold = pending.hold
    switch hold.consume().release {
    case .nothing, .endLease: break
    case .dropReference: dropReference(pending.probe)
    }
  }

  /// Time passes for a task: leases that lasted too long become references, or are gone.
  ///
  /// Kernel: kernel/events/uprobes.c ri_timer() (6.13)
  public mutating func pass(toMilliseconds now: UInt64, _ task: inout ProbedTask) {
    guard task.timer.expires(byMilliseconds: now) else { return }
    for index in task.pending.indices { expireHold(&task.pending[index], forCopy: false) }
  }

  /// Ends one lease; whether the probe is still there.
  @discardableResult
  mutating func expireHold(_ pending: inout PendingReturn, forCopy: Bool) -> Bool {
    let isAlive = probeIndex(pending.probe).map { probes[$0].references > 0 } ?? false
    let (isThere, references) = pending.hold.expire(isAlive: isAlive, forCopy: forCopy)
    for _ in 0..<references { _ = takeReference(pending.probe) }
    return isThere
  }
}

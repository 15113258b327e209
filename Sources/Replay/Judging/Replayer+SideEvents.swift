import ProbeEvents

extension Replayer {
  /// Follows a side event: causes go to the handler, evidence is compared.
  mutating func judge(_ timed: TimedSideEvent) {
    switch timed.event {
    case .mapping(let mapping): judge(mapping)
    case .threadName: break
    case .fork(let fork): judge(fork, at: timed.time)
    case .exec(let identity, _): judgeExec(identity)
    case .exit(let identity): judgeExit(identity)
    case .signal(let delivery): judge(delivery)
    case .lost(let hits): judge(hits)
    case .attached(let identity):
      let slot = slot(of: identity)
      tasks[slot].isAttached = true
    }
  }

  private mutating func judge(_ mapping: Mapping) {
    guard mapping.path == Mapping.uprobesName else { return }
    let space = tasks.spaceIndex(of: mapping.process)
    tasks.spaces[trampoline: space] = mapping.start
  }

  private mutating func judge(_ lostHits: LostHits) {
    lost += lostHits.count
    stopJudging(
      "the kernel dropped \(lostHits.count) records of CPU \(lostHits.cpu) before hit \(nextHit)")
  }

  private mutating func judge(_ fork: TaskFork, at time: UInt64) {
    let parent = slot(of: fork.parent)
    let copy = taskCopy(fork)
    if let stale = tasks.slot(of: fork.child) {
      handler.exit(slot: stale)
      pending.clear(slot: stale)
      tasks.remove(fork.child)
    }
    if fork.child.process != fork.parent.process {
      tasks.copySpace(
        from: fork.parent.process, to: fork.child.process, isShared: copy != .fork)
    }
    let child = slot(of: fork.child)
    let inherited = handler.copy(from: parent, to: child, as: copy)
    divergeIfFaulted(parent)
    tasks[child].isJudged = tasks[parent].isJudged
    tasks[child].isAttached = time < wholeFrom
    if inherited > 0 {
      // Instances below those on the list may be inherited from before recording began, too.
      tasks[child].isAttached = tasks[child].isAttached || tasks[parent].isAttached
      shadow.copy(from: parent, to: child)
    }
    forgetSlots()
  }

  /// The kind of copy; without clone flags, a new thread of the same process is a thread and
  /// everything else a fork.
  private func taskCopy(_ fork: TaskFork) -> TaskCopy {
    guard let flags = fork.cloneFlags else {
      return fork.child.process == fork.parent.process ? .thread : .fork
    }
    if flags & TaskFork.cloneVM == 0 { return .fork }
    return flags & TaskFork.cloneVfork != 0 ? .vfork : .thread
  }

  private mutating func judgeExec(_ identity: ThreadIdentity) {
    if launchedProcess == nil { launchedProcess = identity.process }
    for other in tasks.others(in: identity.process, than: identity) { judgeExit(other) }
    let slot = slot(of: identity)
    checkNothingOwed(slot, before: "the program was replaced")
    handler.free(slot: slot)
    shadow.removeAll(slot: slot)
    pending.clear(slot: slot)
    tasks[slot].isAttached = false
    tasks.renewSpace(slot: slot)
    forgetSlots()
  }

  private mutating func judgeExit(_ identity: ThreadIdentity) {
    guard let slot = tasks.slot(of: identity) else { return }
    checkNothingOwed(slot, before: "the task ended")
    handler.exit(slot: slot)
    divergeIfFaulted(slot)
    pending.clear(slot: slot)
    tasks.remove(identity)
    forgetSlots()
  }

  /// Records a missing return when the last arrival owes one and nothing can follow.
  mutating func checkNothingOwed(_ slot: Int, before what: String) {
    guard reason == nil, tasks[slot].isJudged, pending.owesReturn(slot) else { return }
    divergeMissingReturn(slot, seen: what)
  }

  /// A signal whose instruction pointer lies in the trampoline is an arrival there.
  private mutating func judge(_ delivery: SignalDelivery) {
    let slot = slot(of: delivery.thread)
    let trampoline = tasks.spaces[trampoline: tasks[slot].addressSpace]
    guard reason == nil, tasks[slot].isJudged, isAtTrampoline(delivery, trampoline) else { return }
    if pending.owesReturn(slot) {
      divergeMissingReturn(slot, seen: "signal \(delivery.number) at the trampoline")
      return
    }
    if tasks[slot].isAttached, shadow.count(slot) == 0 { return }
    evidence.signals += 1
    let held = shadow.count(slot)
    popped.removeAll()
    let conclusion = handler.trampoline(
      slot: slot, arrival: TrampolineArrival(stackPointer: delivery.stackPointer),
      popped: &popped)
    if divergeIfFaulted(slot) { return }
    switch conclusion {
    case .returned:
      diverge(
        slot, .unexpectedSignal,
        expected: popped.count == 0
          ? "the task to go on"
          : "the return of \(callName(popped[0])), one of \(held) instances",
        actual: "signal \(delivery.number) at the trampoline", rule: Rule.noInstance)
    case .signal(delivery.number):
      digest.add(UInt64(bitPattern: Int64(delivery.number)))
      if !delivery.isHandled { fatalSignal = (delivery.thread.process, delivery.number) }
      observer.concluded(hit: nextHit, depth: 0, .signal(delivery.number))
    case .signal(let number):
      diverge(
        slot, .wrongSignal, expected: "signal \(number)", actual: "signal \(delivery.number)",
        rule: Rule.noInstance)
    }
  }

  private func isAtTrampoline(_ delivery: SignalDelivery, _ trampoline: Address) -> Bool {
    let isTrap = delivery.number == Signal.illegalInstruction || delivery.number == Signal.trap
    // The trampoline's code is shorter than an XOL slot, which has 128 bytes.
    return isTrap && trampoline != 0 && delivery.instructionPointer >= trampoline
      && delivery.instructionPointer - trampoline < 128
  }
}

/// Signal numbers, the same on every architecture modelled here.
enum Signal {
  static let illegalInstruction: Int32 = 4
  static let trap: Int32 = 5
}

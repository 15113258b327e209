import ProbeEvents

extension Replayer where Handler: ~Copyable {
  /// Follows a side event: causes go to the handler, evidence is compared.
  mutating func judge(_ timed: TimedSideEvent) {
    switch timed.event {
    case .mapping(let mapping): judge(mapping)
    case .threadName: break
    case .fork(let fork): judge(fork, at: timed.time)
    case .exec(let identity, _): judgeExec(identity, at: timed.time)
    case .exit(let identity): judgeExit(identity)
    case .signal(let delivery): judge(delivery)
    case .lost(let hits): judge(hits)
    case .attached(let identity):
      task(of: identity).state.isAttached = true
    case .witness(let witness): judge(witness, at: timed.time)
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
      "the kernel dropped \(SideEventText.describe(lostHits)) before hit \(nextHit)")
  }

  private mutating func judge(_ fork: TaskFork, at time: UInt64) {
    let parent = task(of: fork.parent)
    let copy = taskCopy(fork)
    if let stale = tasks.task(of: fork.child) {
      handler.exit(slot: stale.slot)
      stale.oweNothing()
      tasks.remove(fork.child)
    }
    if fork.child.process != fork.parent.process {
      tasks.copySpace(
        from: fork.parent.process, to: fork.child.process, isShared: copy != .fork)
    }
    let child = task(of: fork.child)
    let inherited = handler.copy(from: parent.slot, to: child.slot, as: copy)
    divergeIfFaulted(parent)
    child.state.isJudged = parent.state.isJudged
    child.state.isAttached = time < wholeFrom
    if inherited > 0 {
      // Instances below those on the list may be inherited from before recording began, too.
      child.state.isAttached = child.state.isAttached || parent.state.isAttached
      child.copyInstances(from: parent)
    }
    forgetTasks()
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

  private mutating func judgeExec(_ identity: ThreadIdentity, at time: UInt64) {
    if launchedProcess == nil { launchedProcess = identity.process }
    for other in tasks.others(in: identity.process, than: identity) { judgeExit(other) }
    let task = task(of: identity)
    checkNothingOwed(task, before: "the program was replaced")
    handler.free(slot: task.slot)
    task.dropAll()
    task.oweNothing()
    // The new program may make calls before the recording is whole.
    task.state.isAttached = time < wholeFrom
    tasks.renewSpace(of: task)
    forgetTasks()
  }

  private mutating func judgeExit(_ identity: ThreadIdentity) {
    guard let task = tasks.task(of: identity) else { return }
    checkNothingOwed(task, before: "the task ended")
    handler.exit(slot: task.slot)
    divergeIfFaulted(task)
    task.oweNothing()
    tasks.remove(identity)
    forgetTasks()
  }

  /// Records a missing return when the last arrival owes one and nothing can follow.
  mutating func checkNothingOwed(_ task: JudgedTask, before what: String) {
    guard reason == nil, task.state.isJudged, task.owesReturn else { return }
    divergeMissingReturn(task, seen: what)
  }

  /// A signal whose instruction pointer lies in the trampoline is an arrival there.
  private mutating func judge(_ delivery: SignalDelivery) {
    let task = task(of: delivery.thread)
    let trampoline = tasks.spaces[trampoline: task.addressSpace]
    guard reason == nil, task.state.isJudged, isAtTrampoline(delivery, trampoline) else { return }
    if task.owesReturn {
      divergeMissingReturn(task, seen: "signal \(delivery.number) at the trampoline")
      return
    }
    if task.state.isAttached, task.held == 0 { return }
    evidence.signals += 1
    let held = task.held
    popped.removeAll()
    let conclusion = handler.trampoline(
      slot: task.slot, arrival: TrampolineArrival(stackPointer: delivery.stackPointer),
      popped: &popped)
    if divergeIfFaulted(task) { return }
    switch conclusion {
    case .returned:
      diverge(
        task, .unexpectedSignal,
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
        task, .wrongSignal, expected: "signal \(number)", actual: "signal \(delivery.number)",
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

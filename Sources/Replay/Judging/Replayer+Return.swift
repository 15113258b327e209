import ProbeEvents

extension Replayer where Handler: ~Copyable {
  /// Holds a return hit against what the handler popped; the first return after anything else is an
  /// arrival at the trampoline, the following ones are the rest of its chain.
  @inline(__always)
  mutating func judgeReturn(
    _ hits: HitView, _ index: Int, _ task: JudgedTask, _ mode: TaskMode
  ) {
    let window = StackWindow(hits, index, mode)
    let seen = SeenReturn(
      probe: hits.probe(index), function: hits.function(index),
      address: hits.instructionPointer(index))
    if task.owesReturn { return judgeOwedReturn(hits, index, mode, task, seen) }
    if task.state.isAttached {
      if isOfUnseenEntry(task, window.stackPointer) { return noteUnseenEntry(task) }
      task.noteArrivalWhenAttached(window.stackPointer)
    }
    popped.removeAll()
    if Handler.readsMemory {
      // The span is used during the call only, in which the columns lend their words.
      unsafe handler.see(stack: hits.window(index).span, at: window.stackPointer)
    }
    let conclusion = handler.trampoline(
      slot: task.slot,
      arrival: TrampolineArrival(stackPointer: window.stackPointer, isCompat: mode.isCompat),
      popped: &popped)
    if divergeIfFaulted(task) { return }
    // Most arrivals pop one instance, and then nothing is left to remember.
    guard case .returned(let address) = conclusion, popped.count == 1 else {
      return judgeArrival(hits, index, mode, task, seen, conclusion)
    }
    let call = popped[0]
    guard follow(call, task, window) else { return }
    let due = DueReturn(instance: call, place: 0)
    guard call.handlersRan, address == seen.address, seen.answers(call) else {
      return divergeAtArrival(task, seen, call.handlersRan ? due : nil, address)
    }
    conclude(hits, window, task, due)
  }

  /// Judges a return that an earlier arrival owes.
  @inline(never)
  private mutating func judgeOwedReturn(
    _ hits: HitView, _ index: Int, _ mode: TaskMode, _ task: JudgedTask, _ seen: SeenReturn
  ) {
    let window = StackWindow(hits, index, mode)
    let due = task.due
    task.advance()
    guard seen.answers(due.instance) else { return diverge(task, at: seen, insteadOf: due) }
    conclude(hits, window, task, due)
  }

  /// Judges an arrival with another outcome than the return of one instance.
  @inline(never)
  private mutating func judgeArrival(
    _ hits: HitView, _ index: Int, _ mode: TaskMode, _ task: JudgedTask, _ seen: SeenReturn,
    _ conclusion: TrampolineConclusion
  ) {
    let window = StackWindow(hits, index, mode)
    let address: Address
    switch conclusion {
    case .signal(let number): return diverge(task, at: seen, insteadOfSignal: number)
    case .returned(let target): address = target
    }
    for index in 0..<popped.count {
      guard follow(popped[index], task, window) else { return }
    }
    let due = task.take(popped)
    guard let due, address == seen.address, seen.answers(due.instance) else {
      return divergeAtArrival(task, seen, due, address)
    }
    conclude(hits, window, task, due)
  }

  /// Concludes that a return is the one that was due, if its window agrees, too.
  @inline(__always)
  private mutating func conclude(
    _ hits: HitView, _ window: StackWindow, _ task: JudgedTask, _ due: DueReturn
  ) {
    evidence.returns &+= 1
    digest.add(due.instance.entry)
    digest.add(due.instance.originalReturnAddress)
    let trampoline = tasks.spaces[trampoline: task.addressSpace]
    guard checkWords(hits, window, task, trampoline, firstWord: 0) else { return }
    observer.concluded(
      hit: nextHit, depth: task.held, .returned(due.instance, dropped: due.place))
  }

  /// Follows a popped instance in the shadow of the list; false when its call is said to return
  /// through a slot that a window has shown to hold something else.
  @inline(__always)
  private mutating func follow(
    _ call: PoppedInstance, _ task: JudgedTask, _ window: StackWindow
  ) -> Bool {
    precondition(task.held > 0, "a handler popped more instances than it held")
    let instance = task.instance(newest: 0)
    task.drop(1)
    tasks.spaces.leave(instance.stackPointer, in: task.addressSpace)
    guard call.handlersRan else { return true }
    returnsExpected &+= 1
    if instance.isOverwritten, window.mode.architecture == .x86_64,
      instance.stackPointer &+ window.wordSize == window.stackPointer
    {
      divergeAtLostWord(task, call, slot: instance.stackPointer)
      return false
    }
    return true
  }

  /// Records what is wrong with the first return after an arrival.
  @inline(never)
  private mutating func divergeAtArrival(
    _ task: JudgedTask, _ seen: SeenReturn, _ due: DueReturn?, _ address: Address
  ) {
    guard let due else { return divergeAtUnexpected(task, seen) }
    // Where it is another call, or the call's own address differs, that is the better thing to say.
    guard
      address == seen.address || due.instance.function != seen.function
        || due.instance.originalReturnAddress != seen.address
    else { return diverge(task, at: seen, insteadOfContinuingAt: address) }
    diverge(task, at: seen, insteadOf: due)
  }

  /// Records what a return differs in from the one that is due.
  @inline(never)
  private mutating func diverge(
    _ task: JudgedTask, at seen: SeenReturn, insteadOf due: DueReturn
  ) {
    if seen.isOfSameCall(as: due.instance) {
      diverge(task, at: seen, insteadOfAddressOf: due.instance)
    } else {
      diverge(task, at: seen, insteadOfCall: due)
    }
  }

  /// Whether a return must belong to a call entered before recording began: the task was running
  /// then, and every call the tape knows of lies below the stack pointer.
  private func isOfUnseenEntry(_ task: JudgedTask, _ stackPointer: Address) -> Bool {
    task.held == 0 || stackPointer > task.highestStackPointer &+ 8
  }

  @inline(never)
  private mutating func noteUnseenEntry(_ task: JudgedTask) {
    // The calls the tape knows of were left by a longjmp; the kernel drops them here.
    task.dropAll()
    handler.free(slot: task.slot)
    evidence.returnsOfUnseenEntries += 1
    observer.concluded(hit: nextHit, depth: 0, .returnOfUnseenEntry)
  }
}

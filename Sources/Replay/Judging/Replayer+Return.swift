import ProbeEvents

extension Replayer where Handler: ~Copyable {
  /// Holds a return hit against what the handler popped; the first return after anything else is an
  /// arrival at the trampoline, the following ones are the rest of its chain.
  @inline(__always)
  mutating func judgeReturn(
    _ hits: HitView, _ index: Int, _ task: JudgedTask, isCompat: Bool
  ) {
    let window = StackWindow(hits, index, isCompat: isCompat)
    let seen = SeenReturn(
      probe: hits.probe(index), function: hits.function(index),
      address: hits.instructionPointer(index))
    let due: DueReturn
    if task.owesReturn {
      due = task.due
      task.advance()
    } else {
      if task.state.isAttached, isOfUnseenEntry(task, window.stackPointer) {
        return noteUnseenEntry(task)
      }
      // The span is used during the call only, in which the columns lend their words.
      unsafe handler.see(stack: hits.window(index).span, at: window.stackPointer)
      guard let first = arrive(task, window, seen) else { return }
      due = first
    }
    guard agrees(seen, task, due) else { return }
    evidence.returns &+= 1
    digest.add(due.instance.entry)
    digest.add(due.instance.originalReturnAddress)
    let trampoline = tasks.spaces[trampoline: task.addressSpace]
    guard checkWords(hits, window, task, trampoline, firstWord: 0) else { return }
    observer.concluded(
      hit: nextHit, depth: task.held, .returned(due.instance, dropped: due.place))
  }

  /// Feeds an arrival at the trampoline to the handler and returns the first return it owes; nil
  /// when it has nothing to return.
  @inline(__always)
  private mutating func arrive(
    _ task: JudgedTask, _ window: StackWindow, _ seen: SeenReturn
  ) -> DueReturn? {
    popped.removeAll()
    let conclusion = handler.trampoline(
      slot: task.slot,
      arrival: TrampolineArrival(
        stackPointer: window.stackPointer, isCompat: window.isCompat),
      popped: &popped)
    if divergeIfFaulted(task) { return nil }
    switch conclusion {
    case .signal(let number):
      diverge(task, at: seen, insteadOfSignal: number)
      return nil
    case .returned(let address):
      guard follow(task, window) else { return nil }
      guard let due = task.take(popped) else {
        divergeAtUnexpected(task, seen)
        return nil
      }
      // Where it is another call, or the call's own address differs, that is the better thing to say.
      guard
        address == seen.address || due.instance.function != seen.function
          || due.instance.originalReturnAddress != seen.address
      else {
        diverge(task, at: seen, insteadOfContinuingAt: address)
        return nil
      }
      return due
    }
  }

  /// Follows the popped instances in the shadow of the list; false when a call is said to return
  /// through a slot that a window has shown to hold something else.
  @inline(__always)
  private mutating func follow(_ task: JudgedTask, _ window: StackWindow) -> Bool {
    for index in 0..<popped.count {
      precondition(task.held > 0, "a handler popped more instances than it held")
      let instance = task.instance(newest: 0)
      task.drop(1)
      tasks.spaces.leave(instance.stackPointer, in: task.addressSpace)
      guard popped[index].handlersRan else { continue }
      returnsExpected &+= 1
      if instance.isOverwritten, architecture == .x86_64,
        instance.stackPointer &+ window.wordSize == window.stackPointer
      {
        divergeAtLostWord(task, popped[index], slot: instance.stackPointer)
        return false
      }
    }
    return true
  }

  @inline(__always)
  private mutating func agrees(
    _ seen: SeenReturn, _ task: JudgedTask, _ due: DueReturn
  ) -> Bool {
    let probe = UInt32(due.instance.entry & 0xFF_FFFF)
    guard due.instance.function == seen.function, probe == seen.probe else {
      diverge(task, at: seen, insteadOfCall: due)
      return false
    }
    guard due.instance.originalReturnAddress == seen.address else {
      diverge(task, at: seen, insteadOfAddressOf: due.instance)
      return false
    }
    return true
  }

  /// Whether a return must belong to a call entered before recording began: the task was running
  /// then, and every call the tape knows of lies below the stack pointer.
  private func isOfUnseenEntry(_ task: JudgedTask, _ stackPointer: Address) -> Bool {
    guard task.state.isAttached else { return false }
    return task.held == 0 || stackPointer > task.highestStackPointer &+ 8
  }

  private mutating func noteUnseenEntry(_ task: JudgedTask) {
    // The calls the tape knows of were left by a longjmp; the kernel drops them here.
    task.dropAll()
    handler.free(slot: task.slot)
    evidence.returnsOfUnseenEntries += 1
    observer.concluded(hit: nextHit, depth: 0, .returnOfUnseenEntry)
  }
}

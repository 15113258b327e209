import ProbeEvents

extension Replayer {
  /// Holds a return hit against what the handler popped; the first return after anything else is an
  /// arrival at the trampoline, the following ones are the rest of its chain.
  mutating func judgeReturn(_ hits: HitView, _ index: Int, _ slot: Int) {
    let window = StackWindow(hits, index)
    if !pending.owesReturn(slot) {
      if isOfUnseenEntry(slot, window.stackPointer) {
        noteUnseenEntry(slot)
        return
      }
      let function = hits.function(index)
      let seen = SeenReturn(
        probe: hits.probe(index), function: function,
        address: hits.instructionPointer(index))
      guard arrive(slot, window, seen) else { return }
    }
    let place = pending.place(slot)
    let due = pending.due(slot)
    guard agrees(hits, index, slot, due) else { return }
    evidence.returns += 1
    digest.add(due.entry)
    digest.add(due.originalReturnAddress)
    pending.advance(slot: slot)
    guard checkWords(hits, window, slot, firstWord: 0) else { return }
    observer.concluded(
      hit: nextHit, depth: shadow.count(slot), .returned(due, dropped: place))
  }

  /// Feeds an arrival at the trampoline to the handler; false when it has nothing to return.
  private mutating func arrive(
    _ slot: Int, _ window: StackWindow, _ seen: SeenReturn
  ) -> Bool {
    popped.removeAll()
    let conclusion = handler.trampoline(
      slot: slot,
      arrival: TrampolineArrival(
        stackPointer: window.stackPointer, isCompat: window.isCompat),
      popped: &popped)
    if divergeIfFaulted(slot) { return false }
    switch conclusion {
    case .signal(let number):
      diverge(
        slot, .unexpectedReturn, expected: "signal \(number), as no return instance is left",
        actual: "\(probeName(seen.probe)) at \(hexadecimal(seen.function)) returned",
        rule: Rule.noInstance)
      return false
    case .returned(let address):
      guard follow(slot, window) else { return false }
      pending.take(slot: slot, popped)
      guard pending.owesReturn(slot) else {
        diverge(
          slot, .unexpectedReturn, expected: "no return handler to run",
          actual: "\(probeName(seen.probe)) at \(hexadecimal(seen.function)) returned",
          rule: Rule.trampoline)
        return false
      }
      // Where the instance itself has another address, that is the better thing to say.
      guard
        address == seen.address || pending.due(slot).originalReturnAddress != seen.address
      else {
        diverge(
          slot, .wrongReturnAddress,
          expected: "the task to continue at \(hexadecimal(address))",
          actual: "it continued at \(hexadecimal(seen.address))", rule: Rule.trampoline)
        return false
      }
      return true
    }
  }

  /// Follows the popped instances in the shadow stack; false when a call is said to return through
  /// a slot that a window has shown to hold something else.
  private mutating func follow(_ slot: Int, _ window: StackWindow) -> Bool {
    let space = tasks[slot].addressSpace
    for index in 0..<popped.count {
      let call = popped[index]
      let instance = shadow[slot, newest: 0]
      shadow.drop(slot: slot, 1)
      tasks.spaces.leave(instance.stackPointer, in: space)
      guard call.handlersRan else { continue }
      returnsExpected += 1
      if architecture == .x86_64, instance.isOverwritten,
        instance.stackPointer &+ window.wordSize == window.stackPointer
      {
        diverge(
          slot, .lostTrampolineWord,
          expected: "\(callName(call)) to return through \(hexadecimal(instance.stackPointer))",
          actual: "that slot held another word at a later hit", rule: Rule.hijack)
        return false
      }
    }
    return true
  }

  private mutating func agrees(
    _ hits: HitView, _ index: Int, _ slot: Int, _ popped: PoppedInstance
  ) -> Bool {
    let probe = UInt32(popped.entry & 0xFF_FFFF)
    let function = hits.function(index)
    guard popped.function == function, probe == hits.probe(index) else {
      diverge(
        slot, .wrongReturn, expected: "the return of \(callName(popped))",
        actual: "the return of \(probeName(hits.probe(index))) at \(hexadecimal(function))",
        rule: pending.place(slot) == 0 ? Rule.trampoline : Rule.chainOrder)
      return false
    }
    let address = hits.instructionPointer(index)
    guard popped.originalReturnAddress == address else {
      diverge(
        slot, .wrongReturnAddress,
        expected: "\(callName(popped)) to return to \(hexadecimal(popped.originalReturnAddress))",
        actual: "it returned to \(hexadecimal(address))", rule: Rule.chainOrder)
      return false
    }
    return true
  }

  /// Whether a return must belong to a call entered before recording began: the task was running
  /// then, and every call the tape knows of lies below the stack pointer.
  private func isOfUnseenEntry(_ slot: Int, _ stackPointer: Address) -> Bool {
    guard tasks[slot].isAttached else { return false }
    return shadow.count(slot) == 0
      || stackPointer > shadow.highestStackPointer(slot) &+ 8
  }

  private mutating func noteUnseenEntry(_ slot: Int) {
    // The calls the tape knows of were left by a longjmp; the kernel drops them here.
    shadow.removeAll(slot: slot)
    handler.free(slot: slot)
    evidence.returnsOfUnseenEntries += 1
    observer.concluded(hit: nextHit, depth: 0, .returnOfUnseenEntry)
  }
}

/// The return on the tape that an arrival at the trampoline is inferred from.
private struct SeenReturn {
  var probe: UInt32
  var function: Address
  var address: Address
}

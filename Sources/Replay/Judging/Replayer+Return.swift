import ProbeEvents

extension Replayer {
  /// Holds a return hit against what the handler popped; the first return after anything else is an
  /// arrival at the trampoline, the following ones are the rest of its chain.
  mutating func judgeReturn(_ columns: HitColumns, _ index: Int, _ slot: Int) {
    let window = StackWindow(columns, index, architecture)
    if !tasks[slot].owesReturn {
      if isOfUnseenEntry(slot, window.stackPointer) {
        noteUnseenEntry(slot)
        return
      }
      let function = columns.functions[index]
      guard arrive(slot, window, seen: probeName(columns.probes[index]), at: function) else {
        return
      }
    }
    let next = tasks[slot].pendingNext
    let popped = tasks[slot].pending[next]
    guard agrees(columns, index, slot, popped) else { return }
    evidence.returns += 1
    digest.add(popped.entry)
    digest.add(popped.originalReturnAddress)
    tasks[slot].pendingNext = next + 1
    tasks[slot].skipSilentlyDropped()
    guard checkWords(columns, window, slot, firstWord: 0) else { return }
    observer.concluded(
      hit: nextHit, depth: tasks[slot].shadow.count, .returned(popped, dropped: next))
  }

  /// Feeds an arrival at the trampoline to the handler; false when it has nothing to return.
  private mutating func arrive(
    _ slot: Int, _ window: StackWindow, seen: String, at function: Address
  ) -> Bool {
    let arrival = TrampolineArrival(
      stackPointer: window.stackPointer, isCompat: window.isCompat)
    tasks[slot].pending.removeAll()
    tasks[slot].pendingNext = 0
    let conclusion = handler.trampoline(
      slot: slot, arrival: arrival, popped: &tasks[slot].pending)
    switch conclusion {
    case .signal(let number):
      diverge(
        slot, .unexpectedReturn, expected: "signal \(number), as no return instance is left",
        actual: "\(seen) at \(hexadecimal(function)) returned", rule: Rule.noInstance)
      return false
    case .returned:
      guard follow(slot, arrival) else { return false }
      tasks[slot].skipSilentlyDropped()
      guard tasks[slot].owesReturn else {
        diverge(
          slot, .unexpectedReturn, expected: "no return handler to run",
          actual: "\(seen) at \(hexadecimal(function)) returned", rule: Rule.trampoline)
        return false
      }
      return true
    }
  }

  /// Follows the popped instances in the shadow stack; false when a call is said to return through
  /// a slot that a window has shown to hold something else.
  private mutating func follow(_ slot: Int, _ arrival: TrampolineArrival) -> Bool {
    let space = tasks[slot].addressSpace
    let wordSize: UInt64 = arrival.isCompat ? 4 : 8
    for index in 0..<tasks[slot].pending.count {
      let popped = tasks[slot].pending[index]
      let instance = tasks[slot].shadow[newest: 0]
      tasks[slot].shadow.drop(1)
      tasks[space: space].leave(instance.stackPointer)
      guard popped.handlersRan else { continue }
      returnsExpected += 1
      if architecture == .x86_64, instance.isOverwritten,
        instance.stackPointer &+ wordSize == arrival.stackPointer
      {
        diverge(
          slot, .lostTrampolineWord,
          expected: "\(callName(popped)) to return through \(hexadecimal(instance.stackPointer))",
          actual: "that slot held another word at a later hit", rule: Rule.hijack)
        return false
      }
    }
    return true
  }

  private mutating func agrees(
    _ columns: HitColumns, _ index: Int, _ slot: Int, _ popped: PoppedInstance
  ) -> Bool {
    let probe = UInt32(popped.entry & 0xFF_FFFF)
    let function = columns.functions[index]
    guard popped.function == function, probe == columns.probes[index] else {
      diverge(
        slot, .wrongReturn, expected: "the return of \(callName(popped))",
        actual: "the return of \(probeName(columns.probes[index])) at \(hexadecimal(function))",
        rule: tasks[slot].pendingNext == 0 ? Rule.trampoline : Rule.chainOrder)
      return false
    }
    let address = columns.instructionPointers[index]
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
    return tasks[slot].shadow.count == 0
      || stackPointer > tasks[slot].shadow.highestStackPointer &+ 8
  }

  private mutating func noteUnseenEntry(_ slot: Int) {
    // The calls the tape knows of were left by a longjmp; the kernel drops them here.
    tasks[slot].shadow.removeAll()
    handler.free(slot: slot)
    evidence.returnsOfUnseenEntries += 1
    observer.concluded(hit: nextHit, depth: 0, .returnOfUnseenEntry)
  }
}

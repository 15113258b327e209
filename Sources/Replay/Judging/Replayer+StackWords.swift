import ProbeEvents

extension Replayer where Handler: ~Copyable {
  /// Holds every trampoline address inside a stack window against the handler's instances.
  ///
  /// The kernel puts the trampoline only into the slot of a call at its entry, and never restores the
  /// word. So where the tape shows a call's entry, the trampoline may be in its slot only if the
  /// handler had an instance for it. Elsewhere it is the program's own doing: whoever unwinds or
  /// copies a stack copies trampoline addresses, too.
  ///
  /// An instance whose slot shows another word is noted as overwritten: its call was left by a jump
  /// and the stack used again, or its program changed the slot. Either way it can no longer return
  /// through it.
  ///
  /// Returns false at a divergence.
  @inline(__always)
  mutating func checkWords(
    _ hits: HitView, _ window: StackWindow, _ task: JudgedTask, _ trampoline: Address,
    firstWord: Int
  ) -> Bool {
    guard trampoline != 0, window.wordCount > firstWord else { return true }
    evidence.stackWords &+= UInt64(window.wordCount &- firstWord)
    // Most windows are of this kind.
    guard !window.mode.isCompat, window.mode.architecture == .x86_64, task.state.isOrdered,
      window.wordCount <= 64
    else {
      return explainWords(
        hits, window.hit, window.mode, task, trampoline, firstWord: firstWord)
    }
    let places = window.places(of: trampoline, hits) & (UInt64.max << UInt64(firstWord))
    let span = StackSpan(
      start: window.stackPointer, wordCount: window.wordCount, firstWord: firstWord)
    let slots = task.slotsAsExpected(in: span, places) ?? task.noteOrderedSlots(in: span, places)
    // Whether there are any is as good as random, so it is not branched on.
    evidence.trampolineWords &+=
      window.wordCount <= 8
      ? UInt64(bitCounts[Int(truncatingIfNeeded: places & 0xFF)])
      : UInt64(truncatingIfNeeded: places.nonzeroBitCount)
    let left = places & ~slots
    return left == 0 || explain(left, from: window.stackPointer, window.mode, task, trampoline)
  }

  /// Asks for every trampoline address in a window whether it may be there.
  @inline(never)
  private mutating func explainWords(
    _ hits: HitView, _ index: Int, _ mode: TaskMode, _ task: JudgedTask, _ trampoline: Address,
    firstWord: Int
  ) -> Bool {
    let window = StackWindow(hits, index, mode)
    let held = noteSlots(hits, window, task, firstWord) { place in
      window.word(place, hits) != trampoline
    }
    var first = firstWord
    while first < window.wordCount {
      var places = window.places(of: trampoline, from: first, hits)
      evidence.trampolineWords &+= UInt64(places.nonzeroBitCount)
      if first == firstWord { places &= ~held }
      guard explain(places, from: window.address(first), mode, task, trampoline) else {
        return false
      }
      first += 64
    }
    return true
  }

  /// Asks for some trampoline addresses on the stack whether they may be there: a bit for each word from
  /// an address on.
  @inline(never)
  private mutating func explain(
    _ places: UInt64, from start: Address, _ mode: TaskMode, _ task: JudgedTask,
    _ trampoline: Address
  ) -> Bool {
    var places = places
    while places != 0 {
      let address = start &+ UInt64(places.trailingZeroBitCount) &* mode.wordSize
      guard mayBe(at: address, task) else {
        diverge(
          task, .strayTrampolineWord, expected: "no trampoline at \(hexadecimal(address))",
          actual: "the stack word there is the trampoline \(hexadecimal(trampoline))",
          rule: Rule.hijack)
        return false
      }
      places &= places - 1
    }
    return true
  }

  /// Notes of every instance inside the window whether its slot shows something else than the
  /// trampoline. The first word of an entry's window does not count: it is set only after the sample
  /// was taken.
  ///
  /// Returns which of the first 64 words are such slots, a bit for each.
  @inline(__always)
  private func noteSlots(
    _ hits: HitView, _ window: StackWindow, _ task: JudgedTask, _ firstWord: Int,
    isOverwritten: (_ place: Int) -> Bool
  ) -> UInt64 {
    // Where the link register carries the return address, its place in the frame is not known.
    guard window.mode.architecture == .x86_64 else { return 0 }
    let start = window.address(firstWord)
    let end = window.address(window.wordCount)
    var held: UInt64 = 0
    var index = task.held
    while index > 0 {
      index &-= 1
      let address = task[held: index].stackPointer
      if address >= end {
        if task.state.isOrdered { break }
        continue
      }
      guard address >= start, let place = window.place(of: address) else { continue }
      task.note(index, isOverwritten: isOverwritten(place))
      if place &- firstWord < 64 { held |= 1 &<< UInt64(truncatingIfNeeded: place &- firstWord) }
    }
    return held
  }

  /// Whether a trampoline address at a place of the stack agrees with the handler.
  private mutating func mayBe(at address: Address, _ task: JudgedTask) -> Bool {
    switch architecture {
    case .x86_64:
      // Most slots were used before, so the cheap question comes first.
      if tasks.spaces.hasLeft(address, in: task.addressSpace) || task.holdsInstance(at: address) {
        return true
      }
      evidence.copiedWords &+= 1
      // The stack of a task that ran before may hold what calls left that no judged hit shows.
      return task.state.isAttached || !tasks.spaces.wasUntouched(address, in: task.addressSpace)
    case .aarch64:
      return task.held > 0 || !tasks.spaces.hasNoResidue(task.addressSpace)
    }
  }

  /// Where the tape does not say where the trampoline is, takes it from the evidence: the word that
  /// replaced a known return address. It is the start of a page. Returns 0 while there is none.
  @inline(never)
  mutating func inferTrampoline(
    _ hits: HitView, _ index: Int, _ mode: TaskMode, _ task: JudgedTask
  ) -> Address {
    let window = StackWindow(hits, index, mode)
    guard architecture == .x86_64 else { return 0 }
    for distance in 0..<task.held {
      let instance = task.instance(newest: distance)
      guard let place = window.place(of: instance.stackPointer) else { continue }
      let word = window.word(place, hits)
      guard word != instance.originalReturnAddress, word != 0, word & 0xFFF == 0
      else { continue }
      tasks.spaces[trampoline: task.addressSpace] = word
      return word
    }
    return 0
  }
}

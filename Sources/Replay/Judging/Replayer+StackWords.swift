import ProbeEvents

extension Replayer {
  /// Holds every trampoline address inside a stack window against the handler's instances.
  ///
  /// A trampoline address may lie only in the slot of an instance, or in a slot that had one once,
  /// as the kernel never restores the word. An instance whose slot shows another word is noted as
  /// overwritten: its call was left by a jump and the stack used again, or its program changed the
  /// slot. Either way it can no longer return through it.
  ///
  /// Returns false at a divergence.
  mutating func checkWords(
    _ hits: HitView, _ window: StackWindow, _ slot: Int, firstWord: Int
  ) -> Bool {
    let space = tasks[slot].addressSpace
    let trampoline = tasks.spaces[trampoline: space]
    guard trampoline != 0, window.wordCount > firstWord else { return true }
    evidence.stackWords += UInt64(window.wordCount - firstWord)
    let held = noteSlots(hits, window, slot, firstWord, trampoline)
    guard window.contains(trampoline, from: firstWord, hits) else { return true }
    return explainWords(hits, window, slot, firstWord, held: held)
  }

  /// Asks for every trampoline address in a window whether it may be there.
  private mutating func explainWords(
    _ hits: HitView, _ window: StackWindow, _ slot: Int, _ firstWord: Int, held: UInt64
  ) -> Bool {
    let trampoline = tasks.spaces[trampoline: tasks[slot].addressSpace]
    var first = firstWord
    while first < window.wordCount {
      var places = window.places(of: trampoline, from: first, hits)
      evidence.trampolineWords += UInt64(places.nonzeroBitCount)
      if first == firstWord { places &= ~held }
      while places != 0 {
        let address = window.address(first + places.trailingZeroBitCount)
        guard isExplained(address, slot) else {
          diverge(
            slot, .strayTrampolineWord, expected: "no trampoline at \(hexadecimal(address))",
            actual: "the stack word there is the trampoline \(hexadecimal(trampoline))",
            rule: Rule.hijack)
          return false
        }
        places &= places - 1
      }
      first += 64
    }
    return true
  }

  /// Compares the slot of every instance inside the window with the trampoline. The first word of an
  /// entry's window does not count: it is set only after the sample was taken.
  ///
  /// Returns which of the first 64 words are such slots, a bit for each.
  private mutating func noteSlots(
    _ hits: HitView, _ window: StackWindow, _ slot: Int, _ firstWord: Int,
    _ trampoline: Address
  ) -> UInt64 {
    // Where the link register carries the return address, its place in the frame is not known.
    guard architecture == .x86_64 else { return 0 }
    guard shadow.count(slot) > 0 else { return 0 }
    let start = window.address(firstWord)
    let end = window.address(window.wordCount)
    let isOrdered = shadow.isOrdered(slot)
    var held: UInt64 = 0
    for distance in 0..<shadow.count(slot) {
      let address = shadow[slot, newest: distance].stackPointer
      if address >= end, isOrdered { break }
      guard address >= start, address < end, let place = window.place(of: address) else { continue }
      let isOverwritten = window.word(place, hits) != trampoline
      shadow.note(slot: slot, newest: distance, isOverwritten: isOverwritten)
      if place - firstWord < 64 { held |= 1 &<< UInt64(place - firstWord) }
    }
    return held
  }

  private func isExplained(_ address: Address, _ slot: Int) -> Bool {
    let space = tasks[slot].addressSpace
    switch architecture {
    case .x86_64:
      // Most slots were used before, so the cheap question comes first.
      if tasks.spaces.hasLeft(address, in: space) { return true }
      for distance in 0..<shadow.count(slot)
      where shadow[slot, newest: distance].stackPointer == address { return true }
      return false
    case .aarch64:
      return shadow.count(slot) > 0 || !tasks.spaces.hasNoResidue(space)
    }
  }

  /// Where the tape does not say where the trampoline is, takes it from the evidence: the word that
  /// replaced a known return address. It is the start of a page.
  mutating func inferTrampoline(_ hits: HitView, _ window: StackWindow, _ slot: Int) {
    let space = tasks[slot].addressSpace
    guard tasks.spaces[trampoline: space] == 0, architecture == .x86_64 else { return }
    for distance in 0..<shadow.count(slot) {
      let instance = shadow[slot, newest: distance]
      guard let place = window.place(of: instance.stackPointer) else { continue }
      let word = window.word(place, hits)
      guard word != instance.originalReturnAddress, word != 0, word & 0xFFF == 0
      else { continue }
      tasks.spaces[trampoline: space] = word
      return
    }
  }
}

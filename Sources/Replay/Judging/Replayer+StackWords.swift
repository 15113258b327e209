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
    _ columns: borrowing HitColumns, _ window: StackWindow, _ slot: Int, firstWord: Int
  ) -> Bool {
    let space = tasks[slot].addressSpace
    let trampoline = tasks[space: space].trampoline
    guard trampoline != 0, window.wordCount > firstWord else { return true }
    evidence.stackWords += UInt64(window.wordCount - firstWord)
    noteSlots(columns, window, slot, firstWord, trampoline)
    for first in stride(from: firstWord, to: window.wordCount, by: 64) {
      var places = window.places(of: trampoline, from: first, columns)
      evidence.trampolineWords += UInt64(places.nonzeroBitCount)
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
    }
    return true
  }

  /// Compares the slot of every instance inside the window with the trampoline. The first word of an
  /// entry's window does not count: it is set only after the sample was taken.
  private mutating func noteSlots(
    _ columns: borrowing HitColumns, _ window: StackWindow, _ slot: Int, _ firstWord: Int,
    _ trampoline: Address
  ) {
    // Where the link register carries the return address, its place in the frame is not known.
    guard architecture == .x86_64 else { return }
    let start = window.address(firstWord)
    let end = window.end
    let isOrdered = shadow.isOrdered(slot)
    for distance in 0..<shadow.count(slot) {
      let address = shadow[slot, newest: distance].stackPointer
      if address >= end {
        if isOrdered { return }
        continue
      }
      guard address >= start, let word = window.word(at: address, columns) else {
        continue
      }
      shadow.note(slot: slot, newest: distance, isOverwritten: word != trampoline)
    }
  }

  private func isExplained(_ address: Address, _ slot: Int) -> Bool {
    let space = tasks[slot].addressSpace
    switch architecture {
    case .x86_64:
      // Most slots were used before, so the cheap question comes first.
      if tasks[space: space].hasLeft(address) { return true }
      for distance in 0..<shadow.count(slot)
      where shadow[slot, newest: distance].stackPointer == address { return true }
      return false
    case .aarch64:
      return shadow.count(slot) > 0 || !tasks[space: space].hasNoResidue
    }
  }

  /// Where the tape does not say where the trampoline is, takes it from the evidence: the word that
  /// replaced a known return address. It is the start of a page.
  mutating func inferTrampoline(_ columns: borrowing HitColumns, _ window: StackWindow, _ slot: Int)
  {
    let space = tasks[slot].addressSpace
    guard tasks[space: space].trampoline == 0, architecture == .x86_64 else { return }
    for distance in 0..<shadow.count(slot) {
      let instance = shadow[slot, newest: distance]
      guard let word = window.word(at: instance.stackPointer, columns),
        word != instance.originalReturnAddress, word != 0, word & 0xFFF == 0
      else { continue }
      tasks[space: space].trampoline = word
      return
    }
  }
}

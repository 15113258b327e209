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
    noteSlots(columns, window, slot, trampoline)
    for word in firstWord..<window.wordCount where window.word(word, columns) == trampoline {
      let address = window.address(word)
      guard isExplained(address, slot) else {
        diverge(
          slot, .strayTrampolineWord, expected: "no trampoline at \(hexadecimal(address))",
          actual: "the stack word there is the trampoline \(hexadecimal(trampoline))",
          rule: Rule.hijack)
        return false
      }
      evidence.trampolineWords += 1
    }
    return true
  }

  /// Compares the slot of every instance inside the window with the trampoline.
  private mutating func noteSlots(
    _ columns: borrowing HitColumns, _ window: StackWindow, _ slot: Int, _ trampoline: Address
  ) {
    // Where the link register carries the return address, its place in the frame is not known.
    guard architecture == .x86_64 else { return }
    for distance in 0..<shadow.count(slot) {
      let address = shadow[slot, newest: distance].stackPointer
      // The slot of an entry is set only after its sample was taken.
      guard address != window.stackPointer, let word = window.word(at: address, columns) else {
        continue
      }
      shadow.note(
        slot: slot, newest: distance, isOverwritten: word != trampoline)
    }
  }

  private func isExplained(_ address: Address, _ slot: Int) -> Bool {
    let space = tasks[slot].addressSpace
    switch architecture {
    case .x86_64:
      for distance in 0..<shadow.count(slot)
      where shadow[slot, newest: distance].stackPointer == address { return true }
      return tasks[space: space].hasLeft(address)
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

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
    let found = window.count(of: trampoline, from: firstWord, columns)
    let held = noteSlots(columns, window, slot, trampoline)
    evidence.trampolineWords += UInt64(found)
    // Mostly the two are equal, and every trampoline address is that of an instance.
    guard found != held else { return true }
    for word in firstWord..<window.wordCount where window.word(word, columns) == trampoline {
      let address = window.address(word)
      guard isExplained(address, slot) else {
        diverge(
          slot, .strayTrampolineWord, expected: "no trampoline at \(hexadecimal(address))",
          actual: "the stack word there is the trampoline \(hexadecimal(trampoline))",
          rule: Rule.hijack)
        return false
      }
    }
    return true
  }

  /// Compares the slot of every instance inside the window with the trampoline; returns how many
  /// slots hold it.
  private mutating func noteSlots(
    _ columns: borrowing HitColumns, _ window: StackWindow, _ slot: Int, _ trampoline: Address
  ) -> Int {
    // Where the link register carries the return address, its place in the frame is not known.
    guard architecture == .x86_64 else { return 0 }
    var held = 0
    var last: Address = 0
    for distance in 0..<shadow.count(slot) {
      let address = shadow[slot, newest: distance].stackPointer
      if address >= window.end, shadow.isOrdered(slot) { break }
      // The slot of an entry is set only after its sample was taken.
      guard address != window.stackPointer, let word = window.word(at: address, columns) else {
        continue
      }
      let isOverwritten = word != trampoline
      shadow.note(slot: slot, newest: distance, isOverwritten: isOverwritten)
      // A chain has several instances in one slot.
      if !isOverwritten, address != last { held += 1 }
      last = address
    }
    return held
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

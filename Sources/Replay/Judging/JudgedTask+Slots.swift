import ProbeEvents

/// The words of a window, at most 64 of 64 bits, as far as they are looked at.
struct StackSpan {
  /// Where the window starts.
  var start: Address
  /// How many words it has.
  var wordCount: Int
  /// The first that is looked at: an entry's own slot is set only after its sample was taken.
  var firstWord: Int
}

/// Instances whose slots lie in a window, when older instances lie above newer ones. The places of
/// words in it, from its start, are a bit each; those that hold the trampoline are given.
extension JudgedTask {
  /// The places of the slots of instances, if nothing has to be noted about any: all show the
  /// trampoline, and none did not before.
  @inline(__always)
  func slotsAsExpected(in span: StackSpan, _ trampolines: UInt64) -> UInt64? {
    guard held > 0 else { return 0 }
    guard state.overwritten == 0 else { return nil }
    let newest = instance(newest: 0)
    let distance = newest.stackPointer &- span.start
    guard distance & Self.notOrdered == 0 else { return nil }
    let below = UInt64.max &>> UInt64(64 &- span.wordCount)
    let slots = newest.slots << (distance >> 3) & below & UInt64.max << UInt64(span.firstWord)
    return slots & ~trampolines == 0 ? slots : nil
  }

  /// Notes of every instance in the window whether its slot shows something else than the trampoline.
  ///
  /// Returns the places of the slots.
  @inline(never)
  func noteOrderedSlots(in span: StackSpan, _ trampolines: UInt64) -> UInt64 {
    let end = UInt64(span.wordCount) &* 8
    var slots: UInt64 = 0
    var index = held
    while index > 0 {
      index &-= 1
      // An instance below the window wraps around to a large distance.
      let distance = self[held: index].stackPointer &- span.start
      guard distance < end else {
        if Int64(bitPattern: distance) < 0 { continue }
        break
      }
      guard distance >= UInt64(span.firstWord) &* 8 else { continue }
      let slot: UInt64 = 1 &<< (distance >> 3)
      note(index, isOverwritten: trampolines & slot == 0)
      slots |= slot
    }
    return slots
  }
}

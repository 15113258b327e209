import ProbeEvents

/// What a replay knows about one address space.
struct AddressSpace {
  /// Start of `[uprobes]`; 0 while there is none.
  var trampoline: Address = 0
  /// Slots that held the trampoline once and were left: the kernel never restores the word, so it
  /// may show up again in a window as garbage of an older call.
  private(set) var residue: Set<Address> = []
  /// The last residue slots by low address bits, so that a hot slot costs no hashing.
  private var recent = InlineArray<256, Address>(repeating: 0)

  /// Notes that the instance of a slot is gone while the word stays.
  mutating func leave(_ slot: Address) {
    let index = Int((slot >> 3) & 255)
    if recent[index] == slot { return }
    recent[index] = slot
    residue.insert(slot)
  }
}

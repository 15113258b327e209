import ProbeEvents

/// What a replay knows about one address space.
struct AddressSpace {
  /// Start of `[uprobes]`; 0 while there is none.
  var trampoline: Address = 0
  /// Slots that held the trampoline once and were left: the kernel never restores the word, so it
  /// may show up again in a window as garbage of an older call.
  private var residue: Set<Address> = []
  /// Members of `residue` by low address bits, so that the slots in use cost no hashing.
  private var recent: [Address] = []

  private static let recentCount = 4096

  /// Whether no slot was ever left.
  var hasNoResidue: Bool { residue.isEmpty }

  /// Notes that the instance of a slot is gone while the word stays.
  mutating func leave(_ slot: Address) {
    if recent.isEmpty { recent = Array(repeating: 0, count: Self.recentCount) }
    let index = Self.index(slot)
    if recent[index] == slot { return }
    recent[index] = slot
    residue.insert(slot)
  }

  /// Whether a slot held the trampoline once.
  func hasLeft(_ slot: Address) -> Bool {
    guard !recent.isEmpty else { return false }
    return recent[Self.index(slot)] == slot || residue.contains(slot)
  }

  private static func index(_ slot: Address) -> Int {
    // The stacks of threads are apart by a power of two: without the higher bits, all would meet.
    Int(((slot >> 3) ^ (slot >> 21)) % UInt64(recentCount))
  }
}

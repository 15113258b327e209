import ProbeEvents

/// A set of stack slots for each address space, by its small index.
struct StackSlots: ~Copyable {
  private var members: [Set<Address>] = []
  /// Members of each set by address bits, so that the slots in use cost no hashing.
  private var recent = FlatStorage<Address>()

  private static let recentCount = 2048

  /// Makes an empty set with the next index.
  mutating func make() {
    members.append([])
    recent.append(0, count: Self.recentCount)
  }

  /// Makes an empty set the same as another.
  mutating func copy(from source: Int, to index: Int) {
    members[index] = members[source]
  }

  /// Makes a set empty.
  mutating func clear(_ index: Int) {
    guard !members[index].isEmpty else { return }
    members[index] = []
    let base = index * Self.recentCount
    for place in base..<base + Self.recentCount { recent[place] = 0 }
  }

  func isEmpty(_ index: Int) -> Bool { members[index].isEmpty }

  @inline(__always)
  mutating func add(_ slot: Address, to index: Int) {
    let place = Self.place(slot, index)
    if recent[place] != slot { insert(slot, index, place) }
  }

  @inline(__always)
  func contains(_ slot: Address, in index: Int) -> Bool {
    recent[Self.place(slot, index)] == slot || members[index].contains(slot)
  }

  @inline(never)
  private mutating func insert(_ slot: Address, _ index: Int, _ place: Int) {
    recent[place] = slot
    members[index].insert(slot)
  }

  @inline(__always)
  private static func place(_ slot: Address, _ index: Int) -> Int {
    // The stacks of threads are apart by a power of two: the factor keeps them apart here, too.
    let number = (slot >> 3) &+ (slot >> 21) &* 613
    return index &* recentCount &+ Int(truncatingIfNeeded: number & UInt64(recentCount - 1))
  }
}

import ProbeEvents

/// What a replay knows about each address space, by a small index.
struct AddressSpaces: ~Copyable {
  /// Start of `[uprobes]`; 0 while there is none.
  private var trampolines = FlatStorage<Address>()
  /// The trampoline that came to be known last; 0 while none is.
  private(set) var latestTrampoline: Address = 0
  /// Slots that held the trampoline once and were left: the kernel never restores the word, so it
  /// may show up again in a window as garbage of an older call.
  private var residues: [Set<Address>] = []
  /// Members of each residue by address bits, so that the slots in use cost no hashing.
  private var recent = FlatStorage<Address>()
  /// Slots of calls that were entered while the handler left their return address alone.
  private var untouched: [Set<Address>] = []
  private var recentUntouched = FlatStorage<Address>()
  private var free: [Int] = []

  private static let recentCount = 2048

  /// An address space without trampoline.
  mutating func make() -> Int {
    if let index = free.popLast() { return index }
    trampolines.append(0)
    recent.append(0, count: Self.recentCount)
    residues.append([])
    untouched.append([])
    recentUntouched.append(0, count: Self.recentCount)
    return residues.count - 1
  }

  /// A copy of an address space, for a forked child.
  mutating func copy(of source: Int) -> Int {
    let index = make()
    trampolines[index] = trampolines[source]
    residues[index] = residues[source]
    untouched[index] = untouched[source]
    return index
  }

  /// Gives the index of a dead address space back.
  mutating func release(_ index: Int) {
    trampolines[index] = 0
    if !residues[index].isEmpty {
      residues[index] = []
      let base = index * Self.recentCount
      for place in base..<base + Self.recentCount { recent[place] = 0 }
    }
    if !untouched[index].isEmpty {
      untouched[index] = []
      let base = index * Self.recentCount
      for place in base..<base + Self.recentCount { recentUntouched[place] = 0 }
    }
    free.append(index)
  }

  /// Where the trampoline of an address space is; 0 while there is none.
  subscript(trampoline index: Int) -> Address {
    @inline(__always) get { trampolines[index] }
    set {
      trampolines[index] = newValue
      latestTrampoline = newValue
    }
  }

  /// Whether no slot was ever left.
  func hasNoResidue(_ index: Int) -> Bool { residues[index].isEmpty }

  /// Notes that the instance of a slot is gone while the word stays.
  @inline(__always)
  mutating func leave(_ slot: Address, in index: Int) {
    let place = Self.place(slot, index)
    if recent[place] != slot { insert(slot, index, place) }
  }

  /// Whether a slot held the trampoline once.
  @inline(__always)
  func hasLeft(_ slot: Address, in index: Int) -> Bool {
    recent[Self.place(slot, index)] == slot || residues[index].contains(slot)
  }

  /// Notes that a call was entered whose slot the handler left alone.
  @inline(__always)
  mutating func noteUntouched(_ slot: Address, in index: Int) {
    let place = Self.place(slot, index)
    if recentUntouched[place] != slot {
      recentUntouched[place] = slot
      untouched[index].insert(slot)
    }
  }

  /// Whether a slot was one of a call that the handler left alone.
  func wasUntouched(_ slot: Address, in index: Int) -> Bool {
    untouched[index].contains(slot)
  }

  @inline(never)
  private mutating func insert(_ slot: Address, _ index: Int, _ place: Int) {
    recent[place] = slot
    residues[index].insert(slot)
  }

  @inline(__always)
  private static func place(_ slot: Address, _ index: Int) -> Int {
    // The stacks of threads are apart by a power of two: the factor keeps them apart here, too.
    let number = (slot >> 3) &+ (slot >> 21) &* 613
    return index &* recentCount &+ Int(truncatingIfNeeded: number & UInt64(recentCount - 1))
  }
}

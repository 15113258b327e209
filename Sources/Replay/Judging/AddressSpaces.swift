import ProbeEvents

/// What a replay knows about each address space, by a small index.
struct AddressSpaces: ~Copyable {
  /// Start of `[uprobes]`; 0 while there is none.
  private var trampolines = FlatStorage<Address>()
  /// The trampoline that came to be known last; 0 while none is.
  private(set) var latestTrampoline: Address = 0
  /// Slots that held the trampoline once and were left: the kernel never restores the word, so it
  /// may show up again in a window as garbage of an older call.
  private var left = StackSlots()
  /// Slots of calls that were entered while the handler left their return address alone.
  private var untouched = StackSlots()
  private var count = 0
  private var free: [Int] = []

  /// An address space without trampoline.
  mutating func make() -> Int {
    if let index = free.popLast() { return index }
    trampolines.append(0)
    left.make()
    untouched.make()
    count += 1
    return count - 1
  }

  /// A copy of an address space, for a forked child.
  mutating func copy(of source: Int) -> Int {
    let index = make()
    trampolines[index] = trampolines[source]
    left.copy(from: source, to: index)
    untouched.copy(from: source, to: index)
    return index
  }

  /// Gives the index of a dead address space back.
  mutating func release(_ index: Int) {
    trampolines[index] = 0
    left.clear(index)
    untouched.clear(index)
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
  func hasNoResidue(_ index: Int) -> Bool { left.isEmpty(index) }

  /// Notes that the instance of a slot is gone while the word stays.
  @inline(__always)
  mutating func leave(_ slot: Address, in index: Int) { left.add(slot, to: index) }

  /// Whether a slot held the trampoline once.
  @inline(__always)
  func hasLeft(_ slot: Address, in index: Int) -> Bool { left.contains(slot, in: index) }

  /// Notes that a call was entered whose slot the handler left alone.
  @inline(__always)
  mutating func noteUntouched(_ slot: Address, in index: Int) { untouched.add(slot, to: index) }

  /// Whether a slot was one of a call that the handler left alone.
  func wasUntouched(_ slot: Address, in index: Int) -> Bool {
    untouched.contains(slot, in: index)
  }
}

import ProbeEvents

/// The returns that each task's last arrival at the trampoline owes: what the handler popped, with
/// how much of it has been seen returning on the tape.
struct PendingReturns: ~Copyable {
  private var storage: [PoppedInstance] = []
  private var counts: [Int] = []
  private var nexts: [Int] = []

  /// Gives no pending returns to a slot.
  mutating func create(slot: Int) {
    let none = PoppedInstance(
      entry: 0, function: 0, originalReturnAddress: 0, handlersRan: false)
    while counts.count <= slot {
      counts.append(0)
      nexts.append(0)
      storage.append(contentsOf: repeatElement(none, count: PoppedInstances.capacity))
    }
    clear(slot: slot)
  }

  /// Owes nothing any more.
  mutating func clear(slot: Int) {
    counts[slot] = 0
    nexts[slot] = 0
  }

  /// Takes over what one arrival popped; the first one whose handlers ran is due.
  mutating func take(slot: Int, _ popped: borrowing PoppedInstances) {
    let base = slot * PoppedInstances.capacity
    for index in 0..<popped.count { storage[base + index] = popped[index] }
    counts[slot] = popped.count
    nexts[slot] = 0
    skipSilentlyDropped(slot: slot)
  }

  /// Whether the last arrival owes a return hit.
  func owesReturn(_ slot: Int) -> Bool { nexts[slot] < counts[slot] }

  /// The return that is due.
  func due(_ slot: Int) -> PoppedInstance {
    storage[slot * PoppedInstances.capacity + nexts[slot]]
  }

  /// How many popped instances came before the one that is due.
  func place(_ slot: Int) -> Int { nexts[slot] }

  /// The return that was due has been seen.
  mutating func advance(slot: Int) {
    nexts[slot] += 1
    skipSilentlyDropped(slot: slot)
  }

  private mutating func skipSilentlyDropped(slot: Int) {
    let base = slot * PoppedInstances.capacity
    while nexts[slot] < counts[slot], !storage[base + nexts[slot]].handlersRan {
      nexts[slot] += 1
    }
  }
}

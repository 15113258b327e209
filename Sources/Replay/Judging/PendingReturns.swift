import ProbeEvents

/// The returns that each task's last arrival at the trampoline owes: what the handler popped, with
/// how much of it has been seen returning on the tape.
struct PendingReturns: ~Copyable {
  struct Piece: BitwiseCopyable {
    var count = 0
    var next = 0
  }

  private var popped = FlatStorage<PoppedInstance>()
  private var pieces = FlatStorage<Piece>()

  /// Gives no pending returns to a slot.
  mutating func create(slot: Int) {
    let none = PoppedInstance(
      entry: 0, function: 0, originalReturnAddress: 0, handlersRan: false)
    while pieces.count <= slot {
      pieces.append(Piece())
      popped.append(none, count: PoppedInstances.capacity)
    }
    pieces[slot] = Piece()
  }

  /// Owes nothing any more.
  mutating func clear(slot: Int) {
    pieces[slot] = Piece()
  }

  /// Takes over what one arrival popped; the first one whose handlers ran is due.
  mutating func take(slot: Int, _ arrived: borrowing PoppedInstances) {
    let base = slot * PoppedInstances.capacity
    for index in 0..<arrived.count { popped[base + index] = arrived[index] }
    pieces[slot] = Piece(count: arrived.count)
    skipSilentlyDropped(slot: slot)
  }

  /// Whether the last arrival owes a return hit.
  func owesReturn(_ slot: Int) -> Bool { pieces[slot].next < pieces[slot].count }

  /// The return that is due.
  func due(_ slot: Int) -> PoppedInstance {
    popped[slot * PoppedInstances.capacity + pieces[slot].next]
  }

  /// How many popped instances came before the one that is due.
  func place(_ slot: Int) -> Int { pieces[slot].next }

  /// The return that was due has been seen.
  mutating func advance(slot: Int) {
    pieces[slot].next += 1
    skipSilentlyDropped(slot: slot)
  }

  private mutating func skipSilentlyDropped(slot: Int) {
    let base = slot * PoppedInstances.capacity
    while owesReturn(slot), !popped[base + pieces[slot].next].handlersRan {
      pieces[slot].next += 1
    }
  }
}

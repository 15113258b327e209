import ProbeEvents

/// The return instances each task's handler must hold, as its conclusions so far add up: what
/// evidence is held against, without asking the handler for its list.
///
/// One flat area for all tasks, a fixed piece for each slot.
struct ShadowStacks: ~Copyable {
  /// One instance of the handler.
  struct Instance: BitwiseCopyable {
    /// Where its return address lies (on LR architectures: the stack pointer at the call).
    var stackPointer: Address = 0
    /// Where the call returns to.
    var originalReturnAddress: Address = 0
    /// Whether a later window showed something else than the trampoline in its slot.
    var isOverwritten = false
  }

  /// What is known of one slot's piece.
  struct Piece: BitwiseCopyable {
    var count = 0
    /// Whether older instances are known to lie above newer ones, as on one stack they do.
    var isOrdered = true
  }

  /// A task never holds more.
  static let capacity = PoppedInstances.capacity

  private var instances = FlatStorage<Instance>()
  private var pieces = FlatStorage<Piece>()

  /// Gives an empty stack to a slot.
  mutating func create(slot: Int) {
    while pieces.count <= slot {
      pieces.append(Piece())
      instances.append(Instance(), count: Self.capacity)
    }
    pieces[slot] = Piece()
  }

  /// How many instances a slot's task holds.
  func count(_ slot: Int) -> Int { pieces[slot].count }

  /// Whether older instances are known to lie above newer ones, as on one stack they do.
  func isOrdered(_ slot: Int) -> Bool { pieces[slot].isOrdered }

  /// The instance at the given distance from the newest.
  subscript(slot: Int, newest distance: Int) -> Instance {
    instances[slot * Self.capacity + pieces[slot].count - 1 - distance]
  }

  /// Notes whether the slot of an instance showed another word than the trampoline.
  mutating func note(slot: Int, newest distance: Int, isOverwritten: Bool) {
    instances[slot * Self.capacity + pieces[slot].count - 1 - distance].isOverwritten =
      isOverwritten
  }

  mutating func push(slot: Int, _ instance: Instance) {
    let count = pieces[slot].count
    precondition(count < Self.capacity, "a handler pushed more instances than a task holds")
    let index = slot * Self.capacity + count
    if count == 0 {
      pieces[slot].isOrdered = true
    } else if instances[index - 1].stackPointer < instance.stackPointer {
      pieces[slot].isOrdered = false
    }
    instances[index] = instance
    pieces[slot].count = count + 1
  }

  mutating func drop(slot: Int, _ number: Int) {
    precondition(number <= pieces[slot].count, "a handler dropped more instances than it held")
    pieces[slot].count -= number
  }

  mutating func removeAll(slot: Int) {
    pieces[slot].count = 0
  }

  mutating func copy(from parent: Int, to child: Int) {
    pieces[child] = pieces[parent]
    for index in 0..<pieces[parent].count {
      instances[child * Self.capacity + index] = instances[parent * Self.capacity + index]
    }
  }

  /// The highest slot any instance of a task lies in.
  func highestStackPointer(_ slot: Int) -> Address {
    var highest: Address = 0
    for distance in 0..<count(slot) {
      highest = max(highest, self[slot, newest: distance].stackPointer)
    }
    return highest
  }
}

import ProbeEvents

/// The return instances each task's handler must hold, as its conclusions so far add up: what
/// evidence is held against, without asking the handler for its list.
///
/// One array for all tasks, a fixed piece for each slot, so that nothing is copied to look at it.
struct ShadowStacks: ~Copyable {
  /// One instance of the handler.
  struct Instance {
    /// Where its return address lies (on LR architectures: the stack pointer at the call).
    var stackPointer: Address = 0
    /// Where the call returns to.
    var originalReturnAddress: Address = 0
    /// Whether a later window showed something else than the trampoline in its slot.
    var isOverwritten = false
  }

  /// A task never holds more.
  static let capacity = PoppedInstances.capacity

  private var storage: [Instance] = []
  private var counts: [Int] = []
  private var ordered: [Bool] = []

  /// Gives an empty stack to a slot.
  mutating func create(slot: Int) {
    while counts.count <= slot {
      counts.append(0)
      ordered.append(true)
      storage.append(contentsOf: repeatElement(Instance(), count: Self.capacity))
    }
    counts[slot] = 0
    ordered[slot] = true
  }

  /// How many instances a slot's task holds.
  func count(_ slot: Int) -> Int { counts[slot] }

  /// Whether older instances are known to lie above newer ones, as on one stack they do.
  func isOrdered(_ slot: Int) -> Bool { ordered[slot] }

  /// The instance at the given distance from the newest.
  subscript(slot: Int, newest distance: Int) -> Instance {
    storage[slot * Self.capacity + counts[slot] - 1 - distance]
  }

  /// Notes whether the slot of an instance showed another word than the trampoline.
  mutating func note(slot: Int, newest distance: Int, isOverwritten: Bool) {
    storage[slot * Self.capacity + counts[slot] - 1 - distance].isOverwritten = isOverwritten
  }

  mutating func push(slot: Int, _ instance: Instance) {
    precondition(counts[slot] < Self.capacity, "a handler pushed more instances than a task holds")
    let index = slot * Self.capacity + counts[slot]
    if counts[slot] == 0 {
      ordered[slot] = true
    } else if storage[index - 1].stackPointer < instance.stackPointer {
      ordered[slot] = false
    }
    storage[index] = instance
    counts[slot] += 1
  }

  mutating func drop(slot: Int, _ number: Int) {
    precondition(number <= counts[slot], "a handler dropped more instances than it held")
    counts[slot] -= number
  }

  mutating func removeAll(slot: Int) {
    counts[slot] = 0
  }

  mutating func copy(from parent: Int, to child: Int) {
    counts[child] = counts[parent]
    ordered[child] = ordered[parent]
    for index in 0..<counts[parent] {
      storage[child * Self.capacity + index] = storage[parent * Self.capacity + index]
    }
  }

  /// The highest slot any instance of a task lies in.
  func highestStackPointer(_ slot: Int) -> Address {
    var highest: Address = 0
    for distance in 0..<counts[slot] {
      highest = max(highest, self[slot, newest: distance].stackPointer)
    }
    return highest
  }
}

import ProbeEvents

/// The return instances a handler must hold, as its conclusions so far add up: what evidence is
/// held against, without asking the handler for its list.
struct ShadowStack {
  /// One instance of the handler.
  struct Instance {
    /// Where its return address lies (on LR architectures: the stack pointer at the call).
    var stackPointer: Address
    /// The probed address.
    var function: Address
    /// Where the call returns to.
    var originalReturnAddress: Address
    /// Whether it shares its slot with the instance below.
    var isChained: Bool
    /// Whether a later window showed something else than the trampoline in its slot.
    var isOverwritten: Bool
  }

  /// A task never holds more.
  static let capacity = PoppedInstances.capacity

  private var storage: InlineArray<64, Instance>
  private(set) var count = 0

  init() {
    storage = InlineArray(
      repeating: Instance(
        stackPointer: 0, function: 0, originalReturnAddress: 0, isChained: false,
        isOverwritten: false))
  }

  /// The instance at the given distance from the newest.
  subscript(newest distance: Int) -> Instance {
    get { storage[count - 1 - distance] }
    set { storage[count - 1 - distance] = newValue }
  }

  mutating func push(_ instance: Instance) {
    storage[count] = instance
    count += 1
  }

  mutating func drop(_ number: Int) {
    precondition(number <= count, "a handler dropped more instances than it held")
    count -= number
  }

  mutating func removeAll() {
    count = 0
  }

  /// The highest slot any instance lies in.
  var highestStackPointer: Address {
    var highest: Address = 0
    for distance in 0..<count { highest = max(highest, self[newest: distance].stackPointer) }
    return highest
  }
}

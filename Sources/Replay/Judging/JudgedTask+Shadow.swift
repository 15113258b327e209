import ProbeEvents

/// One instance of the handler, as its conclusions so far add up.
struct ShadowInstance: BitwiseCopyable {
  /// Where its return address lies (on LR architectures: the stack pointer at the call).
  var stackPointer: Address = 0
  /// Where the call returns to.
  var originalReturnAddress: Address = 0
  /// The probed address.
  var function: Address = 0
  /// Which of 64 words, from its slot on, are slots of it and of older instances: a bit for each. Of
  /// use where all are in order.
  var slots: UInt64 = 1
  /// Whether it was chained.
  var isChained = false
  /// Whether a later window showed something else than the trampoline in its slot.
  var isOverwritten = false
}

/// The return instances that a task's handler must hold, as its conclusions so far add up: what
/// evidence is held against, without asking the handler for its list.
extension JudgedTask {
  /// How many instances the handler holds.
  var held: Int { @inline(__always) get { state.held } }

  /// The instance at the given distance from the newest.
  @inline(__always)
  func instance(newest distance: Int) -> ShadowInstance { self[held: held &- 1 &- distance] }

  @inline(__always)
  func push(_ instance: ShadowInstance) {
    let count = held
    precondition(count < Self.capacity, "a handler pushed more instances than a task holds")
    self[held: count] = instance
    state.held = count &+ 1
    guard count > 0 else { return state.isOrdered = true }
    let older = self[held: count &- 1]
    let distance = older.stackPointer &- instance.stackPointer
    self[held: count].slots = 1 | older.slots << (distance >> 3)
    if distance & Self.notOrdered != 0 { state.isOrdered = false }
  }

  /// The bits of a distance between two slots that is not upwards, or not of whole words.
  static var notOrdered: UInt64 { 1 << 63 | 7 }

  @inline(__always)
  func drop(_ number: Int) {
    precondition(number <= held, "a handler dropped more instances than it held")
    state.held &-= number
    if state.overwritten > held { findOverwritten(below: held) }
  }

  func dropAll() {
    state.held = 0
    state.overwritten = 0
  }

  /// Notes whether an instance is overwritten.
  @inline(__always)
  func note(_ place: Int, isOverwritten: Bool) {
    guard self[held: place].isOverwritten != isOverwritten else { return }
    self[held: place].isOverwritten = isOverwritten
    findOverwritten(below: held)
  }

  @inline(never)
  private func findOverwritten(below end: Int) {
    state.overwritten = (0..<end).last { self[held: $0].isOverwritten }.map { $0 + 1 } ?? 0
  }

  func copyInstances(from parent: JudgedTask) {
    state.held = parent.held
    state.isOrdered = parent.state.isOrdered
    state.overwritten = parent.state.overwritten
    for place in 0..<parent.held { self[held: place] = parent[held: place] }
  }

  /// Whether any instance was made at a stack pointer.
  func holdsInstance(at stackPointer: Address) -> Bool {
    for place in 0..<held where self[held: place].stackPointer == stackPointer { return true }
    return false
  }

  /// The highest slot any instance of the task lies in.
  var highestStackPointer: Address {
    var highest: Address = 0
    for place in 0..<held { highest = max(highest, self[held: place].stackPointer) }
    return highest
  }
}

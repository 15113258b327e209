import ProbeEvents

/// One call of a task whose return is probed, followed from its entry through a handler's
/// conclusions.
struct FollowedCall: Sendable, Hashable {
  /// What became of the call's return instance.
  enum Fate: Sendable, Hashable {
    case held
    case returned(at: UInt64)
    case dropped(at: UInt64, by: Cause)
    case notPushed(EntryConclusion.Outcome)
  }

  /// What made a handler drop an instance.
  enum Cause: Sendable, Hashable {
    /// A call was entered with this stack pointer.
    case entry(probe: UInt32, stackPointer: Address)
    /// A task arrived at the trampoline, and an older call returned.
    case arrival
    /// A call returned that was entered before recording began.
    case unseenReturn
  }

  /// What a later window showed in the call's slot.
  struct Sighting: Sendable, Hashable {
    var hit: UInt64
    var word: UInt64
    var isTrampoline: Bool
  }

  var probe: UInt32
  var function: Address
  /// The hit of its entry.
  var entered: UInt64
  /// The stack pointer at its entry.
  var slot: Address
  var returnAddress: Address
  var isChained: Bool
  var fate: Fate
  var sighting: Sighting?
}

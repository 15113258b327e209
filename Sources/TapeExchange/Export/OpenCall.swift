import ProbeEvents
import Replay

/// A probed call that was entered and has not returned.
struct OpenCall: Hashable {
  /// Index of its entry hit on the tape.
  var hit: UInt64
  var probe: UInt32
  var function: Address
  /// When it was entered, nanoseconds.
  var time: UInt64
  /// Nanoseconds spent in probed calls inside it that have ended.
  var inside: UInt64 = 0
  /// Whether its return address was the trampoline already: a tail call.
  var isChained = false
}

/// How a call ended.
enum CallEnd: String {
  case returned
  /// Its return instance was dropped without handlers: a longjmp left it.
  case dropped
  /// Its task ended, or replaced its program.
  case taskEnded = "task ended"
  /// The tape ended.
  case tapeEnded = "tape ended"
}

/// Something that happened at one moment.
struct CallMark {
  var name: String
  var detail: String
  /// The hit it belongs to; nil for a side event.
  var hit: UInt64?
}

/// One hit with what was concluded about it and the calls around it.
struct FollowedHit {
  var index: UInt64
  var kind: HitKind
  var probe: UInt32
  var thread: ThreadIdentity
  /// Its place in the block.
  var place: Int
  var time: UInt64
  var conclusion: AnnotatedConclusion?
  /// The entry that a return belongs to.
  var returnsHit: UInt64?
  /// The mappings of its process, and their number; nil when the tape has no stack for it.
  var mappings: (number: UInt32, map: ProcessMap)?
}

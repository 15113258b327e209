public import ProbeEvents

/// What a replay concluded about one hit or side event, for those who want to print it.
public enum HitConclusion: Sendable, Hashable {
  /// What the handler did at an entry.
  case entry(EntryConclusion)
  /// The call that returned, how many chained to it in this arrival came before, and how many
  /// instances were dropped without handlers on the way to it.
  case returned(PoppedInstance, dropped: Int)
  /// A return of a call that was entered before recording began.
  case returnOfUnseenEntry
  /// A signal at the trampoline that the handler demands too.
  case signal(Int32)
  /// Not held against the handler: it comes after something that made the tape unreliable.
  case unjudged
  /// The handler and the tape disagree here.
  case diverged(Divergence)
}

/// Gets every conclusion as it is made.
protocol ReplayObserver {
  mutating func concluded(hit: UInt64, depth: Int, _ conclusion: HitConclusion)
}

/// Wants nothing; the calls vanish when the replayer is specialised for it.
struct NoObserver: ReplayObserver {
  @inline(__always)
  mutating func concluded(hit: UInt64, depth: Int, _ conclusion: HitConclusion) {}
}

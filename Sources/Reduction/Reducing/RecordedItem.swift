import ProbeEvents

/// One thing on a tape that is held in memory: a hit with its stack window, or a side event.
enum RecordedItem: Sendable {
  case hit(Hit, window: [UInt64])
  case event(TimedSideEvent)

  /// The thread it belongs to: of a fork the parent, of a mapping nobody.
  var thread: ThreadIdentity? {
    switch self {
    case .hit(let hit, _): hit.thread
    case .event(let timed):
      switch timed.event {
      case .threadName(let thread, _), .exec(let thread, _), .exit(let thread),
        .attached(let thread):
        thread
      case .fork(let fork): fork.parent
      case .signal(let delivery): delivery.thread
      case .witness(let witness): witness.thread
      case .mapping, .lost: nil
      }
    }
  }
}

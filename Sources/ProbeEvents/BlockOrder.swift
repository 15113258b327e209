/// What comes next in a block.
public enum BlockStep: Sendable {
  /// A side event.
  case event(TimedSideEvent)
  /// The hit with this index in the block's columns.
  case hit(Int)
}

/// The side events and hits of a block in the order of the tape.
public struct BlockOrder: Sequence, IteratorProtocol, Sendable {
  private let events: [PositionedSideEvent]
  private let hits: Int
  private var nextEvent = 0
  private var nextHit = 0

  fileprivate init(events: [PositionedSideEvent], hits: Int) {
    self.events = events
    self.hits = hits
  }

  /// The next one; nil at the end of the block.
  public mutating func next() -> BlockStep? {
    if nextEvent < events.count, events[nextEvent].beforeHit <= nextHit || nextHit == hits {
      defer { nextEvent += 1 }
      return .event(events[nextEvent].event)
    }
    guard nextHit < hits else { return nil }
    defer { nextHit += 1 }
    return .hit(nextHit)
  }
}

extension HitColumns {
  /// The block's side events and hits, in the order of the tape.
  public var order: BlockOrder { BlockOrder(events: sideEvents, hits: count) }
}

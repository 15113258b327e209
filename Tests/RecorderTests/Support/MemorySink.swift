import ProbeEvents
import Recorder
import TapeFormat

/// Keeps what a recording delivers, in order.
final class MemorySink: RecordingSink {
  /// A hit with its window, or a side event.
  enum Item {
    case hit(Hit, window: [UInt64])
    case event(TimedSideEvent)
  }

  let header: TapeHeader
  private(set) var items: [Item] = []
  private(set) var trailer: TapeTrailer?
  private(set) var flushes = 0
  /// The callchain of each hit.
  private(set) var callchains: [[UInt64]] = []

  init(_ header: TapeHeader) {
    self.header = header
  }

  var hits: [(hit: Hit, window: [UInt64])] {
    items.compactMap { item in
      switch item {
      case .hit(let hit, let window): (hit, window)
      case .event: nil
      }
    }
  }

  var events: [SideEvent] {
    items.compactMap { item in
      switch item {
      case .hit: nil
      case .event(let event): event.event
      }
    }
  }

  func receive(
    _ hit: BareHit, registers: Span<UInt64>, window: Span<UInt64>, callchain: Span<UInt64>
  ) throws(TapeError) {
    callchains.append(callchain.indices.map { callchain[$0] })
    var words: [UInt64] = []
    for index in window.indices { words.append(window[index]) }
    items.append(.hit(Hit(hit, registers: registers), window: words))
  }

  func receive(_ event: TimedSideEvent) throws(TapeError) {
    items.append(.event(event))
  }

  func flush() throws(TapeError) {
    flushes += 1
  }

  func finish(_ trailer: TapeTrailer) throws(TapeError) {
    self.trailer = trailer
  }
}

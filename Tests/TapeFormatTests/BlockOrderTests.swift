import ProbeEvents
import Testing

@Suite struct BlockOrderTests {
  @Test func `side events come before their hits, and the last ones behind all hits`() {
    var columns = HitColumns()
    columns.count = 2
    for (beforeHit, time) in [(0, 10), (1, 11), (1, 12), (2, 13)] {
      let exit = SideEvent.exit(ThreadIdentity(process: 1, thread: 1))
      columns.sideEvents.append(
        PositionedSideEvent(
          beforeHit: beforeHit, event: TimedSideEvent(time: UInt64(time), event: exit)))
    }
    let steps = columns.order.map { step in
      switch step {
      case .event(let event): "event \(event.time)"
      case .hit(let index): "hit \(index)"
      }
    }
    #expect(steps == ["event 10", "hit 0", "event 11", "event 12", "hit 1", "event 13"])
    #expect(Array(HitColumns().order).isEmpty)
  }

  @Test func `an entry's number holds its hit and its probe`() {
    let number = EntryNumber.of(hit: 1 << 39, probe: 1 << 20)
    #expect(EntryNumber.hit(number) == 1 << 39 && EntryNumber.probe(number) == 1 << 20)
  }
}

import ProbeEvents
import TapeFormat
import Testing

@testable import Recorder

@Suite("the kernel's lists find their hits")
struct WitnessFeedingTests {
  private let thread = ThreadIdentity(process: 10, thread: 11)
  private let sink = MemorySink(
    TapeHeader(
      kernel: KernelFacts(architecture: .x86_64, release: "test"), probes: [], stackBytes: 24))

  private func feeder(readsLists: Bool = true) -> HitFeeder {
    var table = EventTable()
    table.add(500, .init(role: .hit(probe: 3, kind: .entry, functionOffset: 8), owner: 10))
    if readsLists { table.add(501, .init(role: .witness, owner: -1)) }
    return HitFeeder(
      sink: sink, table: table, architecture: .x86_64,
      tracepoints: KernelTracepoints(signal: nil, newTask: nil), families: TaskFamilies())
  }

  private func list(time: UInt64, moment: UInt64 = 0, ip: UInt64 = 0x40_1000) -> [UInt64] {
    // The entry samples' stack pointer is their eighth register.
    RecordBuilder.list(
      501, thread: thread, time: time, moment: moment, ip: ip, stackPointer: 107,
      instance: (0x40_2000, 200, 0x40_3000))
  }

  private func hit(time: UInt64) -> [UInt64] {
    RecordBuilder.entry(500, thread: thread, time: time, ip: 0x40_1000)
  }

  private func feed(_ records: [[UInt64]], to feeder: HitFeeder) throws -> [String] {
    var feeder = feeder
    for record in records { try feeder.feed(record.span, cpu: 0, at: record[4]) }
    return sink.items.map { item in
      switch item {
      case .hit(let hit, _): return "hit \(hit.time)"
      case .event(let event):
        guard case .witness(let witness) = event.event else { return "other" }
        return "\(witness.moment) \(event.time)"
      }
    }
  }

  @Test("a list comes right before the hit at which it was read, and at no other")
  func beforeTheHit() throws {
    let records = [
      list(time: 1), hit(time: 2), hit(time: 3),
      // That of a hit that is not ours, or was lost.
      list(time: 4, ip: 0x40_1100), hit(time: 5),
    ]
    #expect(try feed(records, to: feeder()) == ["entry 2", "hit 2", "hit 3", "hit 5"])
    let event = try #require(sink.items.first)
    guard case .event(let timed) = event, case .witness(let witness) = timed.event else {
      Issue.record("\(event)")
      return
    }
    #expect(witness.thread == thread && witness.depth == 1)
    #expect(
      witness.instances == [
        WitnessedInstance(
          function: 0x40_2000, stackPointer: 200, originalReturnAddress: 0x40_3000,
          isChained: false)
      ])
  }

  @Test("a list read at the trampoline counts from the thread's first hit on")
  func trampoline() throws {
    let records = [
      list(time: 1, moment: 1), hit(time: 2), list(time: 3, moment: 1), list(time: 4, moment: 2),
    ]
    #expect(
      try feed(records, to: feeder()) == ["hit 2", "beforeTrampoline 3", "afterTrampoline 4"])
  }

  @Test("where no lists are read, hits come without")
  func noLists() throws {
    #expect(try feed([hit(time: 1)], to: feeder(readsLists: false)) == ["hit 1"])
  }
}

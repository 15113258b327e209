import ProbeEvents
import TapeFormat
import Testing

@testable import Recorder

@Suite("rings are merged by time")
struct RingMergerTests {
  private let sink = MemorySink(
    TapeHeader(
      kernel: KernelFacts(architecture: .x86_64, release: "test"), probes: [], stackBytes: 8))

  private func feeder() -> HitFeeder {
    var table = EventTable()
    table.add(1, .init(role: .hit(probe: 0, kind: .entry, functionOffset: 8), owner: 1))
    return HitFeeder(
      sink: sink, table: table, architecture: .x86_64,
      tracepoints: KernelTracepoints(signal: nil, newTask: nil), families: TaskFamilies())
  }

  /// A ring's chunk of hits at these times (milliseconds), each in a thread numbered as its time.
  private func chunk(_ times: [Int], names: [Int32]? = nil) -> [UInt64] {
    zip(times, names ?? times.map { Int32($0) }).flatMap { time, name in
      RecordBuilder.entry(
        1, thread: ThreadIdentity(process: 1, thread: name), time: UInt64(time) * 1_000_000)
    }
  }

  private func round(_ chunks: [[UInt64]], start: UInt64, isLast: Bool = false) -> Round {
    Round(chunks: chunks, start: start * 1_000_000, isLast: isLast)
  }

  private var delivered: [Int32] { sink.hits.map(\.hit.thread.thread) }

  @Test("a record that missed a round still comes before later ones that made it")
  func late() throws {
    var merger = RingMerger(cpus: [0, 1])
    var feeder = feeder()
    try merger.add(round([chunk([1, 40]), chunk([2])], start: 41), to: &feeder) { _ in }
    #expect(delivered == [])
    // 39 was written while the first round had passed its ring already.
    try merger.add(round([chunk([60]), chunk([39, 61])], start: 70), to: &feeder) { _ in }
    #expect(delivered == [1, 2, 39, 40])
    try merger.add(round([[], []], start: 90), to: &feeder) { _ in }
    #expect(delivered == [1, 2, 39, 40, 60, 61])
  }

  @Test("what a ring lost counts from its record before, not from when there was room again")
  func lossComesEarly() throws {
    var merger = RingMerger(cpus: [0, 1])
    var feeder = feeder()
    let lost = RecordBuilder.sideBand(
      2, identifier: 1, thread: ThreadIdentity(process: 1, thread: 1), time: 500_000_000, [1, 7])
    try merger.add(
      round([chunk([20, 30]), chunk([10]) + lost + chunk([501])], start: 600, isLast: true),
      to: &feeder
    ) { _ in }
    #expect(delivered == [10, 20, 30, 501])
    guard case .event(let event) = sink.items[1] else {
      Issue.record("no loss behind the first hit")
      return
    }
    #expect(event.event == .lost(LostHits(count: 7, cpu: 1)) && event.time == 10_000_000)
  }

  @Test("the last round delivers everything")
  func last() throws {
    var merger = RingMerger(cpus: [0, 1, 2])
    var feeder = feeder()
    try merger.add(
      round([chunk([5, 8]), chunk([3, 9]), chunk([])], start: 10, isLast: true), to: &feeder
    ) { _ in }
    #expect(delivered == [3, 5, 8, 9])
  }

  @Test("within a ring the order is the ring's, even where the clock went back")
  func clockWentBack() throws {
    var merger = RingMerger(cpus: [0, 1])
    var feeder = feeder()
    try merger.add(
      round(
        [chunk([10, 7, 12], names: [1, 2, 3]), chunk([8, 11], names: [4, 5])], start: 20,
        isLast: true),
      to: &feeder
    ) { _ in }
    #expect(delivered == [4, 1, 2, 5, 3])
    // The tape has the times as the kernel gave them.
    #expect(sink.hits.map { $0.hit.time / 1_000_000 } == [8, 10, 7, 11, 12])
  }

  @Test("records that may still be written are waited for, however close the rounds are")
  func closeRounds() throws {
    var merger = RingMerger(cpus: [0])
    var feeder = feeder()
    try merger.add(round([chunk([100])], start: 101), to: &feeder) { _ in }
    try merger.add(round([[]], start: 102), to: &feeder) { _ in }
    #expect(delivered == [])
    try merger.add(round([[]], start: 106), to: &feeder) { _ in }
    #expect(delivered == [100])
  }

  @Test("chunks come back to be filled again")
  func recycling() throws {
    var merger = RingMerger(cpus: [0, 1])
    var feeder = feeder()
    var back = 0
    let chunks = [chunk([1]), chunk([2])]
    try merger.add(round(chunks, start: 3), to: &feeder) { _ in back += 1 }
    try merger.add(round([chunk([4]), []], start: 5, isLast: true), to: &feeder) { _ in back += 1 }
    #expect(back == 3)
  }
}

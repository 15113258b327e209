import ProbeEvents
import TapeFormat
import Testing

@testable import Recorder

@Suite("records become hits and side events")
struct HitFeederTests {
  private let thread = ThreadIdentity(process: 10, thread: 11)
  private let sink = MemorySink(
    TapeHeader(
      kernel: KernelFacts(architecture: .x86_64, release: "test"), probes: [], stackBytes: 24))

  private func feeder(
    tracepoints: KernelTracepoints = KernelTracepoints(signal: nil, newTask: nil),
    families: TaskFamilies = TaskFamilies()
  ) -> HitFeeder {
    var table = EventTable()
    table.add(500, .init(role: .hit(probe: 3, kind: .entry, functionOffset: 8), owner: 10))
    table.add(501, .init(role: .sideBand, owner: 10))
    table.add(502, .init(role: .newTask, owner: 10))
    table.add(
      503,
      .init(role: .hit(probe: 2, kind: .entry, functionOffset: 8, hasCallchain: true), owner: 10))
    table.add(600, .init(role: .hit(probe: 3, kind: .entry, functionOffset: 8), owner: 11))
    return HitFeeder(
      sink: sink, table: table, architecture: .x86_64, tracepoints: tracepoints,
      families: families)
  }

  @Test("an entry sample gives place, time, thread, function, registers and window")
  func entry() throws {
    let record = RecordBuilder.entry(500, thread: thread, time: 77, ip: 0x7fff_1234_5678)
    var feeder = feeder()
    try feeder.feed(record.span, cpu: 1, at: 77)
    let (hit, window) = try #require(sink.hits.first)
    #expect(hit.kind == .entry && hit.probe == 3 && hit.cpu == 1)
    #expect(hit.thread == thread && hit.time == 77)
    #expect(hit.function == 0x7fff_1234_5678)
    #expect(hit.flags.isEmpty)
    #expect(hit.registers[0] == 100 && hit.registers[19] == 119)
    #expect(hit.registers[8] == 0x7fff_1234_5678)
    #expect(window == [1, 2, 3])
    #expect(feeder.entries == 1 && feeder.returns == 0)
  }

  @Test("a callchain comes before the rest of the sample", arguments: [[], [7], [1, 2, 3]])
  func callchain(chain: [UInt64]) throws {
    let record = RecordBuilder.entry(
      503, thread: thread, time: 77, ip: 0x7fff_1234_5678, callchain: chain)
    var feeder = feeder()
    try feeder.feed(record.span, cpu: 1, at: 77)
    let (hit, window) = try #require(sink.hits.first)
    #expect(hit.probe == 2 && hit.function == 0x7fff_1234_5678)
    #expect(hit.registers[0] == 100 && hit.registers[19] == 119 && window == [1, 2, 3])
    #expect(sink.callchains == [chain])
  }

  @Test(
    "only the words that were really read are a window's, and only whole ones",
    arguments: [
      (real: UInt64(24), words: 3), (20, 2), (8, 1), (7, 0), (0, 0),
    ])
  func shortWindow(real: UInt64, words: Int) throws {
    let record = RecordBuilder.entry(500, thread: thread, time: 1, real: real)
    var feeder = feeder()
    try feeder.feed(record.span, cpu: 0, at: 1)
    #expect(sink.hits.first?.window.count == words)
  }

  @Test(
    "32-bit code is told by its code segment or its register ABI",
    arguments: [
      (abi: UInt64(2), segment: UInt64(0x33), flags: HitFlags([])),
      (2, 0x23, .compat), (1, 0x33, .compat), (1, 0x23, .compat),
    ])
  func compat(abi: UInt64, segment: UInt64, flags: HitFlags) throws {
    let record = RecordBuilder.entry(
      500, thread: thread, time: 1, abi: abi, codeSegment: segment)
    var feeder = feeder()
    try feeder.feed(record.span, cpu: 0, at: 1)
    #expect(sink.hits.first?.hit.flags == flags)
  }

  @Test("a sample without registers or stack says so")
  func noRegisters() throws {
    let record = RecordBuilder.entry(500, thread: thread, time: 1, abi: 0, stack: [])
    var feeder = feeder()
    try feeder.feed(record.span, cpu: 0, at: 1)
    let (hit, window) = try #require(sink.hits.first)
    #expect(hit.flags == .registersMissing)
    #expect(hit.registers[8] == 0 && window.isEmpty)
  }

  @Test("samples from after the end of the recording are passed over, losses are not")
  func afterTheEnd() throws {
    var feeder = feeder()
    feeder.end = 77
    for time in [76, 77, 78] as [UInt64] {
      let record = RecordBuilder.entry(500, thread: thread, time: time)
      try feeder.feed(record.span, cpu: 0, at: time)
    }
    #expect(sink.hits.map(\.hit.time) == [76, 77])
    #expect(feeder.entries == 2)
    let loss = RecordBuilder.sideBand(2, identifier: 501, thread: thread, time: 79, [501, 5])
    try feeder.feed(loss.span, cpu: 1, at: 79)
    #expect(feeder.lostCount == 5)
  }

  @Test("events that are not ours are passed over")
  func foreign() throws {
    let record = RecordBuilder.entry(12345, thread: thread, time: 1)
    var feeder = feeder()
    try feeder.feed(record.span, cpu: 0, at: 1)
    #expect(sink.items.isEmpty)
  }

  @Test("a mapping comes with its build id, the trampoline of optimised sites with its whole name")
  func mappings() throws {
    var feeder = feeder()
    let identifier: [UInt64] = [
      20 | 0x0403_0201 << 32, 0x0c0b_0a09_0807_0605, 0x1413_1211_100f_0e0d,
    ]
    let body = [RecordBuilder.pair(10, 11), 0x1000, 0x2000, 0x3000] + identifier + [5 | 2 << 32]
    for (name, misc) in [("/usr/bin/some thing", UInt64(1 << 14)), ("[uprobes-trampo", 0)] {
      try feeder.feed(
        RecordBuilder.sideBand(
          10, misc: misc, identifier: 501, thread: thread, time: 5, body + RecordBuilder.text(name)
        ).span, cpu: 0, at: 5)
    }
    // Not executable.
    let readable = Array(body.dropLast()) + [1 | 2 << 32]
    try feeder.feed(
      RecordBuilder.sideBand(
        10, identifier: 501, thread: thread, time: 5, readable + RecordBuilder.text("/data")
      ).span, cpu: 0, at: 5)
    #expect(
      sink.events == [
        .mapping(
          Mapping(
            process: 10, start: 0x1000, length: 0x2000, fileOffset: 0x3000,
            path: "/usr/bin/some thing", buildID: Array(1...20))),
        .mapping(
          Mapping(
            process: 10, start: 0x1000, length: 0x2000, fileOffset: 0x3000,
            path: Mapping.uprobesTrampolineName)),
      ])
    #expect(feeder.trampolines.facts == [KernelFact(.optimizedSites, "nop5")])
  }

  @Test("names, programs, exits and losses")
  func others() throws {
    var feeder = feeder()
    let identity = RecordBuilder.pair(10, 11)
    let records = [
      RecordBuilder.sideBand(
        3, identifier: 501, thread: thread, time: 1, [identity] + RecordBuilder.text("worker")),
      RecordBuilder.sideBand(
        3, misc: 1 << 13, identifier: 501, thread: thread, time: 2,
        [identity] + RecordBuilder.text("ls")),
      RecordBuilder.sideBand(2, identifier: 500, thread: thread, time: 3, [500, 42]),
      RecordBuilder.sideBand(
        4, identifier: 501, thread: thread, time: 4,
        [RecordBuilder.pair(10, 10), RecordBuilder.pair(11, 10), 4]),
    ]
    for record in records { try feeder.feed(record.span, cpu: 7, at: 1) }
    #expect(
      sink.events == [
        .threadName(thread, "worker"), .exec(thread, "ls"),
        .lost(LostHits(count: 42, cpu: 7)), .exit(thread),
      ])
    #expect(feeder.lostCount == 42)
  }

  /// `task:task_newtask` as a 6.18 kernel prints it.
  private static let newTask = EventFormat(
    """
    name: task_newtask
    ID: 205
    format:
    \tfield:pid_t pid;\toffset:8;\tsize:4;\tsigned:1;
    \tfield:u64 clone_flags;\toffset:32;\tsize:8;\tsigned:0;
    """)

  private func newTask(_ child: Int32, flags: UInt64, time: UInt64) -> [UInt64] {
    // Size 44; data from byte 4: pid at 8, clone_flags at 32.
    var bytes = [UInt8](repeating: 0, count: 48)
    bytes[0] = 44
    for index in 0..<4 { bytes[4 + 8 + index] = UInt8(truncatingIfNeeded: child >> (8 * index)) }
    for index in 0..<8 {
      bytes[4 + 32 + index] = UInt8(truncatingIfNeeded: flags >> UInt64(8 * index))
    }
    let raw = stride(from: 0, to: 48, by: 8).map { start in
      (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[start + $1]) << UInt64($1 * 8) }
    }
    let body = [502, 0, RecordBuilder.pair(10, 11), time, 0] + raw
    return [RecordBuilder.header(9, words: body.count + 1)] + body
  }

  @Test("a fork waits for its clone flags, and comes without them before anything its tasks do")
  func forks() throws {
    let tracepoints = KernelTracepoints(signal: nil, newTask: Self.newTask)
    var feeder = feeder(tracepoints: tracepoints)
    let first = ThreadIdentity(process: 10, thread: 12)
    let second = ThreadIdentity(process: 13, thread: 13)
    let third = ThreadIdentity(process: 10, thread: 14)
    let fourth = ThreadIdentity(process: 10, thread: 15)
    let other = ThreadIdentity(process: 99, thread: 99)
    let records = [
      RecordBuilder.fork(first, of: thread, identifier: 501, time: 1),
      RecordBuilder.entry(500, thread: other, time: 2),
      newTask(12, flags: 0x3d0f00, time: 3),
      RecordBuilder.fork(second, of: thread, identifier: 501, time: 4),
      RecordBuilder.entry(500, thread: second, time: 5),
      RecordBuilder.fork(third, of: thread, identifier: 501, time: 6),
      RecordBuilder.sideBand(
        4, identifier: 501, thread: third, time: 7,
        [RecordBuilder.pair(10, 10), RecordBuilder.pair(14, 10), 7]),
      RecordBuilder.fork(fourth, of: thread, identifier: 501, time: 8),
    ]
    for record in records { try feeder.feed(record.span, cpu: 0, at: 1) }
    try feeder.finish(at: 9)
    let order = sink.items.map { item in
      switch item {
      case .hit(let hit, _): "hit \(hit.thread.thread)"
      case .event(let event):
        if case .fork(let fork) = event.event {
          "fork \(fork.child.thread) \(fork.cloneFlags.map { String($0, radix: 16) } ?? "?")"
        } else {
          "other"
        }
      }
    }
    #expect(
      order == [
        "hit 99", "fork 12 3d0f00", "fork 13 ?", "hit 13", "fork 14 ?", "other", "fork 15 ?",
      ])
  }

  @Test("a thread that has events of its own does not count twice, nor do its children")
  func families() throws {
    var feeder = feeder(families: TaskFamilies(attached: [10, 11]))
    let child = ThreadIdentity(process: 10, thread: 12)
    let records = [
      // Thread 11 inherited event 500 from thread 10, and has event 600 of its own.
      RecordBuilder.entry(500, thread: thread, time: 1),
      RecordBuilder.entry(600, thread: thread, time: 1),
      RecordBuilder.fork(
        child, of: ThreadIdentity(process: 10, thread: 10), identifier: 501, time: 2),
      RecordBuilder.entry(600, thread: child, time: 3),
      RecordBuilder.entry(500, thread: child, time: 3),
    ]
    for record in records { try feeder.feed(record.span, cpu: 0, at: 1) }
    #expect(sink.hits.map(\.hit.thread) == [thread, child])
  }
}

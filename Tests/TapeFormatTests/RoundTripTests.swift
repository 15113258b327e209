import ProbeEvents
import TapeFormat
import Testing

@Suite struct RoundTripTests {
  @Test func anEmptyTapeGivesItsHeaderAndTrailer() throws {
    let tape = Recording(
      header: Recording.header(.x86_64),
      trailer: TapeTrailer(
        targetExit: .exited(3), entries: 0, returns: 0, lost: 0, endTime: 77,
        lateFacts: [KernelFact(.optimizedSites, "nop5")]))
    #expect(try Reading(tape.bytes()).recording == tape)
  }

  @Test(arguments: [
    TargetExit.unknown, .running, .exited(0), .exited(255), .exited(.min), .killed(11),
  ])
  func everyWayATargetEndsComesBack(_ exit: TargetExit) throws {
    let tape = Recording(
      header: Recording.header(.aarch64, probes: 0),
      trailer: TapeTrailer(
        targetExit: exit, entries: .max, returns: 1, lost: .max, endTime: .max))
    #expect(try Reading(tape.bytes()).recording == tape)
  }

  @Test(arguments: Architecture.allCases, [1, 2, 3, 4])
  func randomHitsComeBackAsTheyWere(_ architecture: Architecture, seed: UInt64) throws {
    let tape = RandomRecording.make(architecture, seed: seed, items: 700)
    let read = try Reading(tape.bytes(options: TapeWriterOptions(hitsPerBlock: 97)))
    #expect(read.damage.isEmpty)
    #expect(read.recording == tape)
    #expect(read.blocks.count > 5)
  }

  @Test(arguments: Architecture.allCases, [1, 19])
  func theLevelAndBlockSizeChangeNothingButTheSize(
    _ architecture: Architecture, level: Int32
  ) throws {
    let tape = RandomRecording.make(architecture, seed: 9, items: 300)
    let options = TapeWriterOptions(compressionLevel: level, hitsPerBlock: 1)
    let read = try Reading(tape.bytes(options: options))
    #expect(read.recording == tape)
    #expect(read.blocks.allSatisfy { $0 <= 1 })
  }

  @Test func everySideEventComesBackWithoutAnyHit() throws {
    var random = SeededRandom(seed: 3)
    var tape = Recording(header: Recording.header(.x86_64))
    for time in 0..<200 {
      tape.items.append(.event(RandomRecording.event(&random, time: UInt64(1000 - time))))
    }
    #expect(try Reading(tape.bytes()).recording == tape)
  }

  @Test(arguments: Architecture.allCases, [0, 1, 7, 8, 9, 8191])
  func windowsOfEverySizeComeBack(_ architecture: Architecture, words: Int) throws {
    var random = SeededRandom(seed: 5)
    var tape = Recording(header: Recording.header(architecture))
    let layout = architecture.registerLayout
    for index in 0..<(words > 100 ? 3 : 20) {
      var registers = (0..<layout.count).map { _ in random.next() }
      registers[layout.stackPointer] = 0x7fff_ffff_0000 - UInt64(index % 5) * 24
      tape.items.append(
        .hit(
          HitImage(
            kind: index % 2 == 0 ? .entry : .return, registers: registers,
            window: (0..<words).map { UInt64($0) / 3 &* 0x1234_5678_9ABC })))
    }
    let read = try Reading(tape.bytes())
    #expect(read.recording == tape)
    #expect(read.blocks.count == 1)
  }

  @Test func aBlockEndsBeforeItHoldsMoreWordsThanItMay() throws {
    let image = HitImage(
      kind: .entry, registers: [], window: [UInt64](repeating: 0, count: 8191))
    var tape = Recording(header: Recording.header(.x86_64))
    // 128 of these windows hold less than 2^20 words, 129 hold more.
    tape.items = Array(repeating: .hit(image), count: 129)
    let bytes = try tape.bytes()
    var reader = try TapeReader(bytes: bytes)
    var columns = HitColumns()
    #expect(try reader.next(into: &columns, selecting: .judged) == .block)
    #expect(columns.count == 128)
    #expect(try reader.next(into: &columns, selecting: .judged) == .block)
    #expect(columns.count == 1)
  }

  @Test(arguments: Architecture.allCases)
  func extremeValuesComeBack(_ architecture: Architecture) throws {
    let layout = architecture.registerLayout
    let extremes: [UInt64] = [0, 1, 0xFFFF, 0x1_0000, .max, .max - 1, 1 << 63, (1 << 63) - 1]
    var tape = Recording(header: Recording.header(architecture))
    for (index, value) in (extremes + extremes.reversed()).enumerated() {
      tape.items.append(
        .hit(
          HitImage(
            kind: index % 3 == 0 ? .entry : .return, flags: HitFlags(rawValue: UInt8(index * 17)),
            cpu: .max, probe: 2,
            thread: ThreadIdentity(process: .min, thread: index % 2 == 0 ? .max : -1),
            time: value, function: ~value,
            registers: (0..<layout.count).map { value &* UInt64($0 % 2) },
            window: [value, ~value])))
    }
    #expect(try Reading(tape.bytes()).recording == tape)
  }

  @Test func columnsThatNobodyAskedForStayEmpty() throws {
    let tape = try SmallTape.bytes()
    var reader = try TapeReader(bytes: tape)
    var columns = HitColumns()
    #expect(try reader.next(into: &columns, selecting: .times) == .block)
    #expect(columns.count == 4 && columns.times.count == 4)
    #expect(columns.kinds.isEmpty && columns.sideEvents.isEmpty && columns.registers.isEmpty)
    #expect(columns.windowStarts == [0])
    #expect(try reader.next(into: &columns, selecting: .judged) == .block)
    #expect(columns.kinds.count == 4 && columns.windowWords.count == 12)
    #expect(columns.times.isEmpty && columns.cpus.isEmpty && columns.registers.isEmpty)
    #expect(try reader.next(into: &columns, selecting: .cpus) == .block)
    #expect(columns.cpus.count == 4 && columns.kinds.isEmpty && columns.threadTable.isEmpty)
    guard case .trailer = try reader.next(into: &columns, selecting: .all) else {
      Issue.record("no trailer")
      return
    }
    #expect(reader.isComplete)
    #expect(columns.count == 0 && columns.cpus.isEmpty)
    #expect(try reader.next(into: &columns, selecting: .all) == .end)
  }

  @Test func theWriterCountsWhatItTook() throws {
    let output = MemoryTapeOutput()
    var writer = try TapeWriter(header: Recording.header(.x86_64), output: output)
    #expect(writer.bytesWritten == UInt64(output.bytes.count) && writer.bytesWritten > 100)
    let image = HitImage(kind: .return, registers: [])
    try writer.append(image.hit, window: image.window.span)
    for count in [3, UInt64.max] {
      try writer.append(
        TimedSideEvent(time: 0, event: .lost(LostHits(count: count, cpu: 0))))
    }
    #expect(writer.entries == 0 && writer.returns == 1 && writer.lost == .max)
    try writer.flush()
    let size = writer.bytesWritten
    #expect(size == UInt64(output.bytes.count))
    try writer.flush()
    #expect(writer.bytesWritten == size, "nothing to flush")
  }

  @Test func whatAHitRepeatsCostsNextToNothing() throws {
    var tape = Recording(header: Recording.header(.x86_64))
    for index in 0..<4000 {
      tape.items.append(
        .hit(
          HitImage(
            kind: index % 2 == 0 ? .entry : .return, time: UInt64(index) * 1000,
            function: 0x1000,
            registers: (0..<20).map { 0x5555_0000_0000 + UInt64($0 * 977 + index % 2) },
            window: (0..<8).map { 0x7fff_0000_0000 + UInt64($0 * 3) })))
    }
    let size = try tape.bytes().count - Recording(header: tape.header).bytes().count
    #expect(size < 4000 / 4, "\(size) bytes for 4000 hits")
  }
}

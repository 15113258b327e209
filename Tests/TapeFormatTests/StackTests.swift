import ProbeEvents
import Testing

@testable import TapeFormat

@Suite struct StackTests {
  @Test(arguments: Architecture.allCases, [UInt64(1), 2, 3, 4])
  func stacksComeBackAsTheyWere(_ architecture: Architecture, seed: UInt64) throws {
    let (bytes, contents) = try StackTape.make(architecture, seed: seed, hits: 300)
    #expect(contents.stacks.contains(nil) && Set(contents.stacks).count > 20)
    #expect(try StackTape.read(bytes) == contents)
  }

  @Test func namesComeBackBeforeTheBlockThatNeedsThem() throws {
    var reader = try TapeReader(bytes: StackTape.make().bytes)
    var columns = HitColumns()
    #expect(try reader.next(into: &columns, selecting: .all) == .block)
    #expect(reader.newSymbols == StackTape.symbols)
    #expect(columns.stackSymbols.all == StackTape.symbols)
    var table = StackTable()
    let frame = StackFrame(
      file: table.place(of: StackTape.symbols[0].file), offset: 21, isExact: false)
    let found = try #require(columns.stackSymbols.function(of: frame, in: table))
    #expect(found.name == "f(int)" && found.distance == 13)
    #expect(try reader.next(into: &columns, selecting: .all) == .block)
    #expect(reader.newSymbols.isEmpty && reader.skipped == 0)
  }

  @Test func whoDoesNotAskForStacksReadsTheSameHits() throws {
    let (bytes, contents) = try StackTape.make()
    var reader = try TapeReader(bytes: bytes)
    var columns = HitColumns()
    var hits = 0
    while case .block = try reader.next(into: &columns, selecting: [.judged, .times]) {
      hits += columns.count
      #expect(columns.stacks.isEmpty && columns.stackTable.nodes.isEmpty)
    }
    #expect(hits == contents.stacks.count)
  }

  /// A reader of before there were stacks knows neither the group nor the record: for it they are
  /// optional parts like these.
  @Test func aReaderThatKnowsNoStacksSkipsThem() throws {
    var surgery = try TapeSurgery(StackTape.make().bytes)
    for record in surgery.records.indices {
      if surgery.records[record].header.kind == RecordKind.symbols.rawValue {
        surgery.records[record].header.kind = 0x0777
      }
      for group in surgery.records[record].header.groups.indices
      where surgery.records[record].header.groups[group].id == RecordGroup.stacks.rawValue {
        surgery.records[record].header.groups[group].id = 0x0776
      }
    }
    let read = try StackTape.read(surgery.tape)
    #expect(read.damage.isEmpty && read.isComplete)
    #expect(read.stacks.count == 60 && read.stacks.allSatisfy { $0 == nil })
  }

  @Test func aTapeCutAnywhereGivesItsWholeBlocks() throws {
    let (bytes, contents) = try StackTape.make(hits: 9)
    let boundaries = TapeSurgery.boundaries(bytes)
    for cut in boundaries[0]..<bytes.count {
      let read = try StackTape.read(Array(bytes[..<cut]))
      // The first record holds the names.
      let blocks = max(0, boundaries.filter { $0 <= cut }.count - 2)
      #expect(read.stacks == Array(contents.stacks.prefix(min(blocks, 3) * 3)), "cut at \(cut)")
      #expect(read.damage.isEmpty == boundaries.contains(cut))
    }
  }

  @Test func aFlippedBitNeverGivesWrongStacksInSilence() throws {
    let (bytes, contents) = try StackTape.make(hits: 6)
    let start = TapeSurgery.boundaries(bytes)[0]
    for bit in start * 8..<bytes.count * 8 {
      var flipped = bytes
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      let read = try StackTape.read(flipped)
      if read.damage.isEmpty {
        #expect(read == contents, "bit \(bit)")
      } else {
        #expect(read.stacks.count >= 4, "one flip costs one record, bit \(bit)")
        #expect(read.stacks.allSatisfy(contents.stacks.contains), "bit \(bit)")
      }
    }
  }

  /// The checksums of these hold, so that it is the decoder who must not be fooled.
  @Test(arguments: [21, 22, 23, 24])
  func crookedStreamsEndInBlocksOrDamage(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let surgery = try TapeSurgery(StackTape.make(seed: seed).bytes)
    var damaged = 0
    for _ in 0..<300 {
      var crooked = surgery
      let record = Int.random(in: 0..<2, using: &random)
      // Of the names the only group, of a block the last.
      let group = crooked.records[record].contents.count - 1
      let count = crooked.records[record].contents[group].count
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        let place = Int.random(in: 0..<count, using: &random)
        crooked.records[record].contents[group][place] = UInt8.random(in: 0...255, using: &random)
      }
      let read = try StackTape.read(crooked.tape)
      damaged += read.damage.count
      #expect(read.damage.count <= 1 && read.isComplete)
    }
    #expect(damaged > 60)
  }

  @Test(arguments: [0, 1])
  func aStackIsNoDeeperThanItsLimit(more: Int) throws {
    var table = StackTable()
    let frames = (0..<TapeLimits.framesPerStack + more).map { place in
      StackFrame(file: StackFrame.noFile, offset: UInt64(place), isExact: false)
    }
    let stack = table.reference(of: frames, .complete)
    let output = MemoryTapeOutput()
    var writer = try TapeWriter(header: Recording.header(.x86_64), output: output)
    let image = HitImage(kind: .entry, time: 0, registers: [])
    try writer.append(image.hit, window: image.window.span, stack: stack, of: table)
    try writer.flush()
    let read = try StackTape.read(output.bytes)
    #expect(read.damage.map(\.reason) == (more == 0 ? [] : [.overLimit]))
    #expect(read.stacks.count == 1 - more)
  }

  @Test func repairKeepsStacksAndNames() throws {
    let (bytes, contents) = try StackTape.make()
    let output = MemoryTapeOutput()
    var reader = try TapeReader(bytes: bytes)
    let report = try TapeRepair.repair(from: &reader, to: output)
    #expect(report.hits == 60)
    #expect(try StackTape.read(output.bytes) == contents)
    var repaired = try TapeReader(bytes: output.bytes)
    var columns = HitColumns()
    #expect(try repaired.next(into: &columns, selecting: .all) == .block)
    #expect(columns.stackSymbols.all == StackTape.symbols)
  }

  /// Promised: at most two bytes more for a hit whose stack was there before.
  @Test(arguments: [10, 200, 1000])
  func aStackSeenBeforeCostsAtMostTwoBytes(distinct: Int) throws {
    var random = SeededRandom(seed: 7)
    var table = StackTable()
    let file = table.place(of: StackFile(path: "/bin/a"))
    let stacks = (0..<distinct).map { _ in
      table.reference(
        of: (0..<8).map { _ in
          StackFrame(file: file, offset: random.next() >> 44, isExact: false)
        }, .complete)
    }
    func size(_ references: [StackReference]) throws -> Int {
      let output = MemoryTapeOutput()
      var writer = try TapeWriter(header: Recording.header(.x86_64), output: output)
      for (place, stack) in references.enumerated() {
        let image = HitImage(kind: .entry, time: UInt64(place), registers: [])
        try writer.append(image.hit, window: image.window.span, stack: stack, of: table)
      }
      try writer.flush()
      return output.bytes.count
    }
    let order = (0..<8000).map { _ in stacks[Int.random(in: 0..<distinct, using: &random)] }
    // Each stack once, then others again: what the latter add to what they cost without stacks.
    let known = try size(stacks + order)
    let first = try size(stacks + [StackReference](repeating: 0, count: order.count))
    #expect(known - first <= 2 * order.count, "\(Double(known - first) / Double(order.count))")
  }
}

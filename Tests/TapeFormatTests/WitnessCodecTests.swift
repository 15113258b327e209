import ProbeEvents
import Testing

@testable import TapeFormat

/// The kernel's own lists, told from each other.
@Suite struct WitnessCodecTests {
  private static let thread = ThreadIdentity(process: 7, thread: 8)

  private func instance(_ number: UInt64) -> WitnessedInstance {
    WitnessedInstance(
      function: number, stackPointer: number << 32, originalReturnAddress: ~number,
      isChained: number % 2 == 0)
  }

  private func witness(_ numbers: [UInt64], thread: ThreadIdentity = thread) -> Witness {
    Witness(
      thread: thread, moment: .return, depth: .max, instances: numbers.map { instance($0) })
  }

  /// Encodes in order, checks that decoding gives the same, and returns the bytes of each.
  private func coded(_ witnesses: [Witness]) throws -> [[UInt8]] {
    var encoder = WitnessCodec()
    var decoder = WitnessCodec()
    return try witnesses.map { witness in
      var bytes: [UInt8] = []
      encoder.encode(witness, into: &bytes)
      var fields = FieldReader(bytes)
      #expect(try decoder.decode(&fields) == witness)
      try fields.finish()
      return bytes
    }
  }

  @Test func listsComeBackAsTheyWere() throws {
    let other = ThreadIdentity(process: 7, thread: 9)
    _ = try coded([
      witness([]), witness([1, 2, 3]), witness([4], thread: other), witness([1, 2]),
      witness([1, 5, 6]), witness(Array(0..<127)), witness([.max, 0]), witness([], thread: other),
    ])
  }

  @Test func whatAListHasInCommonWithTheLastOneCostsNothing() throws {
    let deep = Array(UInt64(0)..<60)
    let bytes = try coded([witness(deep), witness(deep), witness(Array(deep.dropLast()))])
    #expect(bytes[0].count > 400)
    // The thread, the moment, the depth of 5 bytes, and two counts.
    #expect(bytes[1].count == 10 && bytes[2].count == 10)
  }

  @Test(
    arguments: [
      // Moment 4; keeps one of none; 128 instances; a flag of 2.
      [14, 16, 4, 0, 0, 0], [14, 16, 0, 0, 1, 0], [14, 16, 0, 0, 0, 0x80, 1],
      [14, 16, 0, 0, 0, 1, 2, 0, 0, 0],
    ] as [[UInt8]])
  func impossibleListsAreDamage(_ bytes: [UInt8]) {
    var fields = FieldReader(bytes)
    var codec = WitnessCodec()
    #expect(throws: TapeDamage.Reason.self) { try codec.decode(&fields) }
  }

  @Test func aFewBytesCannotStandForEverMoreInstances() throws {
    var encoder = WitnessCodec()
    var first: [UInt8] = []
    encoder.encode(witness(Array(0..<127)), into: &first)
    var again: [UInt8] = []
    encoder.encode(witness(Array(0..<127)), into: &again)
    var decoder = WitnessCodec()
    var fields = FieldReader(first)
    _ = try decoder.decode(&fields)
    #expect(throws: TapeDamage.Reason.overLimit) {
      for _ in 0..<TapeLimits.witnessedInstancesPerBlock {
        var fields = FieldReader(again)
        _ = try decoder.decode(&fields)
      }
    }
    #expect(decoder.instanceCount <= TapeLimits.witnessedInstancesPerBlock)
  }

  @Test func theWriterEndsABlockBeforeItHasTooManyInstances() throws {
    let output = MemoryTapeOutput()
    var writer = try TapeWriter(header: Recording.header(.x86_64), output: output)
    let list = witness(Array(0..<127))
    let count = TapeLimits.witnessedInstancesPerBlock / 127 + 10
    for _ in 0..<count {
      try writer.append(TimedSideEvent(time: 0, event: .witness(list)))
    }
    try writer.flush()
    var reader = try TapeReader(bytes: output.bytes)
    var columns = HitColumns()
    var read = 0
    while case .block = try reader.next(into: &columns, selecting: .judged) {
      read += columns.sideEvents.count { $0.event.event == .witness(list) }
    }
    #expect(read == count)
  }
}

import ProbeEvents
import Replay
import TapeExchange
import TapeFormat
import Testing

/// Files that are cut off or damaged: what comes before is kept, and the tape is marked incomplete.
@Suite struct DamageTests {
  /// Imports, or nil when the file was refused. Everything else fails the test.
  private func attempt(_ bytes: [UInt8]) throws -> ImportedTape? {
    do {
      return try ImportedTape(bytes)
    } catch is ExchangeError {
      return nil
    }
  }

  private func facts(_ tape: ImportedTape) -> [String] {
    tape.hits.map {
      "\($0.kind) \($0.thread) \($0.time) \($0.ip) \($0.function) \($0.sp) \($0.words)"
    }
  }

  @Test(arguments: [
    "chain", "chain-z", "chain-pipe", "chain-pipe-z", "chain-pmu", "chain-plain", "chain-fp",
  ])
  func `a file cut anywhere keeps what comes before`(name: String) throws {
    let bytes = try Fixture.bytes(name + ".data")
    let whole = facts(try ImportedTape(bytes))
    var kept: Set<Int> = []
    for length in stride(from: 0, to: bytes.count, by: 61) {
      guard let tape = try attempt(Array(bytes[..<length])) else { continue }
      let some = facts(tape)
      #expect(some == Array(whole.prefix(some.count)), "cut at \(length)")
      if some.count < whole.count {
        #expect(tape.summary.cut != nil && tape.trailer == nil, "cut at \(length)")
        #expect(try tape.replay().verdict != .match, "cut at \(length)")
      }
      kept.insert(some.count)
    }
    // Some cuts are among the hits, some behind them.
    #expect(kept.contains(whole.count))
    // A compressed block is whole or not; without registers a cut file does not tell its machine.
    if !name.hasSuffix("z"), !["chain-plain", "chain-fp"].contains(name) {
      #expect(kept.count > 4, "\(kept)")
    }
  }

  @Test func `a cut inside a sample is named with its place`() throws {
    let bytes = try Fixture.bytes("chain-pipe.data")
    // The last record is a round's end of 8 bytes; before it is the exit.
    let tape = try ImportedTape(Array(bytes[..<(bytes.count - 20)]))
    #expect(tape.hits.count == 8)
    let cut = try #require(tape.summary.cut)
    #expect(cut.hasPrefix("the file ends inside the record at byte "))
    let conclusion = try tape.replay()
    #expect(conclusion.verdict == .unjudged)
    #expect(conclusion.reason?.contains("incomplete") == true)
  }

  @Test func `a damaged compressed block ends the tape before it`() throws {
    var bytes = try Fixture.bytes("chain-pipe-z.data")
    // The block starts with zstd's magic, behind the record's header of 8 bytes.
    let magic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]
    let start = try #require(
      bytes.indices.first { $0 + 4 <= bytes.count && Array(bytes[$0..<$0 + 4]) == magic })
    bytes[start] ^= 0xFF
    let nothing = try ImportedTape(bytes)
    #expect(nothing.hits.isEmpty && nothing.trailer == nil)
    #expect(nothing.summary.cut?.contains("does not decompress") == true)
    bytes[start] ^= 0xFF
    var cuts = 0
    for place in stride(from: start + 20, to: bytes.count - 16, by: 7) {
      var damaged = bytes
      damaged[place] ^= 0x55
      guard let tape = try attempt(damaged), let cut = tape.summary.cut else { continue }
      #expect(tape.trailer == nil)
      if cut.contains("does not decompress") { cuts += 1 }
    }
    #expect(cuts > 0)
  }

  @Test(arguments: ["chain", "chain-z", "chain-pipe", "chain-fp"])
  func `any byte may be wrong`(name: String) throws {
    let bytes = try Fixture.bytes(name + ".data")
    var state: UInt64 = 42
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    var read = 0
    for _ in 0..<300 {
      var damaged = bytes
      for _ in 0...random(4) {
        damaged[random(bytes.count)] = UInt8(truncatingIfNeeded: random(256))
      }
      guard let tape = try attempt(damaged) else { continue }
      // Whatever was read is a tape that a replay can take.
      _ = try tape.replay()
      read += 1
    }
    #expect(read > 100)
  }

  @Test func `lengths and counts of any size are checked`() throws {
    let bytes = try Fixture.bytes("chain.data")
    // All the 64-bit fields of the file's header, and of the first attribute's ids.
    for place in stride(from: 8, to: 104, by: 8) {
      for value: UInt64 in [0, 1, 7, 1 << 20, 1 << 40, .max - 7, .max] {
        var damaged = bytes
        for byte in 0..<8 { damaged[place + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte)) }
        _ = try attempt(damaged)
      }
    }
    // The feature table, and sizes inside the features.
    for place in stride(from: bytes.count - 12_000, to: bytes.count - 8, by: 40) {
      var damaged = bytes
      for byte in 0..<8 { damaged[place + byte] = 0xFF }
      _ = try attempt(damaged)
    }
  }

  @Test func `a recording that was killed is kept`() throws {
    // What perf leaves then: no size of the data, and nothing behind it.
    var bytes = try Fixture.bytes("chain.data")
    let start = bytes.word(40)
    let size = bytes.word(48)
    bytes = Array(bytes[..<Int(start + size)])
    for index in 48..<56 { bytes[index] = 0 }
    let tape = try ImportedTape(bytes)
    #expect(tape.hits.count == 8)
    #expect(tape.summary.cut?.contains("killed") == true)
    #expect(tape.header.kernel.architecture == .x86_64)
    #expect(try tape.replay().verdict == .unjudged)
  }
}

extension [UInt8] {
  /// A little-endian word.
  func word(_ index: Int) -> UInt64 {
    (0..<8).reduce(UInt64(0)) { $0 | UInt64(self[index + $1]) << UInt64(8 * $1) }
  }
}

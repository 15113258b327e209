import ProbeEvents
import ProbetapeTesting
import Reduction
import Replay
import TapeFormat
import Testing

/// What a scrubbed tape has left, and that it replays as before.
@Suite struct ScrubTests {
  private static let step = TapeDerivation(command: "scrub", source: "a.tape", digest: [9])

  private func scrub(_ bytes: [UInt8]) throws -> (bytes: [UInt8], findings: ScrubFindings) {
    var reader = try TapeReader(bytes: bytes)
    let output = MemoryTapeOutput()
    let findings = try #require(try TapeScrub.scrub(&reader, to: output, step: Self.step))
    return (output.bytes, findings)
  }

  private func check(_ bytes: [UInt8]) throws -> ScrubFindings {
    var reader = try TapeReader(bytes: bytes)
    return try TapeScrub.check(&reader)
  }

  private func synthetic(_ architecture: Architecture) throws -> [UInt8] {
    let output = MemoryTapeOutput()
    var synthetic = SyntheticTape(
      SyntheticTape.Parameters(seed: 3, hits: 4000, architecture: architecture))
    var writer = try TapeWriter(header: synthetic.header, output: output)
    try synthetic.write(to: &writer)
    return output.bytes
  }

  @Test(arguments: Architecture.allCases)
  func `a scrubbed tape replays to the same digest and has nothing left`(
    architecture: Architecture
  ) throws {
    let bytes = try synthetic(architecture)
    let before = try check(bytes)
    #expect(before.arguments == 4 && before.folders > 0 && before.names > 0)
    #expect(before.registers > 0 && before.stackWords > 0 && !before.isEmpty)
    let scrubbed = try scrub(bytes)
    #expect(scrubbed.findings == before)
    #expect(try check(scrubbed.bytes).isEmpty)
    let conclusion = try ReductionFixture.replay(scrubbed.bytes, .modelOfTape)
    #expect(conclusion == (try ReductionFixture.replay(bytes, .modelOfTape)))
    #expect(conclusion.verdict == .match)
    #expect(try TapeReader(bytes: scrubbed.bytes).header.derivations == [Self.step])
  }

  @Test func `nothing secret is among the bytes that can be read`() throws {
    let secret: UInt64 = 0x5EC2_E7AA_BBCC_DD00
    var tape = try TapeBuilder(functions: ["f"])
    tape.set(word: secret, at: 0x7018)
    try tape.event(.threadName(TapeBuilder.mainThread, "secret-name"))
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.leave("f", sp: 0x7008, to: 0x40_0010)
    var reader = try TapeReader(bytes: try scrub(try tape.finish()).bytes)
    var columns = HitColumns()
    var words: [UInt64] = []
    var events: [SideEvent] = []
    while case .block = try reader.next(into: &columns, selecting: .all) {
      words += columns.windowWords + columns.registers
      events += columns.sideEvents.map(\.event.event)
    }
    #expect(!words.contains(secret))
    // Of the entry the return address; at the return nothing is left of the window but zeros.
    #expect(words.contains(0x40_0010))
    #expect(!events.contains { "\($0)".contains("secret") })
    #expect(reader.header.command == ["program"])
    #expect(reader.header.probes[0].path == "program")
  }

  @Test func `a divergence stays the same`() throws {
    var tape = try TapeBuilder(functions: ["f", "g"])
    try tape.enter("f", sp: 0x7010, returnAddress: 0x40_0010)
    tape.set(word: 0x1234, at: 0x7010)
    try tape.enter("g", sp: 0x7000, returnAddress: 0x40_0020)
    try tape.leave("g", sp: 0x7008, to: 0x40_0020)
    try tape.leave("f", sp: 0x7018, to: 0x40_0010)
    let bytes = try tape.finish()
    let before = try ReductionFixture.replay(bytes, .modelOfTape)
    #expect(before.verdict == .diverged)
    #expect(try ReductionFixture.replay(try scrub(bytes).bytes, .modelOfTape) == before)
  }

  @Test func `a trampoline that has to be inferred still is`() throws {
    var tape = try TapeBuilder(functions: ["f", "t"], withTrampoline: false)
    try tape.enter("f", sp: 0x7000, returnAddress: 0x40_0010)
    try tape.enter("t", sp: 0x6FF0, returnAddress: 0x40_0020)
    try tape.leave("t", sp: 0x6FF8, to: 0x40_0020)
    try tape.leave("f", sp: 0x7008, to: 0x40_0010)
    let bytes = try tape.finish()
    let before = try ReductionFixture.replay(bytes, .modelOfTape)
    #expect(before.verdict == .match && before.evidence.stackWords > 0)
    #expect(try ReductionFixture.replay(try scrub(bytes).bytes, .modelOfTape) == before)
  }
}

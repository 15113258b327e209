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

  @Test(arguments: Architecture.allCases, [1, 2, 3, 4])
  func randomHitsComeBackAsTheyWere(_ architecture: Architecture, seed: UInt64) throws {
    let tape = RandomRecording.make(architecture, seed: seed, items: 700)
    let read = try Reading(tape.bytes(options: TapeWriterOptions(hitsPerBlock: 97)))
    #expect(read.damage.isEmpty)
    #expect(read.recording == tape)
    #expect(read.blocks.count > 5)
  }
}

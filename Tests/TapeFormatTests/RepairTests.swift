import ProbeEvents
import Testing

@testable import TapeFormat

@Suite struct RepairTests {
  private func repaired(
    _ tape: [UInt8]
  ) throws -> (report: TapeRepair.Report, read: Reading) {
    var reader = try TapeReader(bytes: tape)
    let output = MemoryTapeOutput()
    let report = try TapeRepair.repair(from: &reader, to: output)
    return (report, try Reading(output.bytes))
  }

  @Test func aWholeTapeStaysAsItIs() throws {
    let (report, read) = try repaired(SmallTape.bytes())
    #expect(read.recording == SmallTape.recording())
    #expect(report.blocks == 3 && report.hits == 12 && report.dropped.isEmpty)
    #expect(report.isComplete)
  }

  @Test func aDamagedBlockBecomesLostHits() throws {
    var tape = try SmallTape.bytes()
    let boundaries = TapeSurgery.boundaries(tape)
    tape[boundaries[2] - 3] ^= 0x10
    let (report, read) = try repaired(tape)
    let blocks = SmallTape.blocks()
    let lost = Recording.Item.event(
      TimedSideEvent(
        time: 3100, event: .lost(LostHits(count: 4, cpu: LostHits.unknownCPU))))
    #expect(read.damage.isEmpty)
    #expect(read.items == blocks[0] + [lost] + blocks[2])
    #expect(report.blocks == 2 && report.dropped.count == 1)
    #expect(report.isComplete)
    #expect(read.trailer?.lost == 4)
    // The block had three of the eight entries and one of the four returns.
    #expect(read.trailer?.entries == 5)
    #expect(read.trailer?.returns == 3)
  }

  @Test func aTapeThatWasCutOffStaysIncomplete() throws {
    let tape = try SmallTape.bytes()
    let (report, read) = try repaired(Array(tape.dropLast(5)))
    #expect(!report.isComplete)
    #expect(read.trailer == nil)
    #expect(read.damage.isEmpty)
    #expect(read.items.dropLast() == SmallTape.recording().items[...])
  }
}

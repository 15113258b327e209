import ProbeEvents
import Testing

@testable import TapeFormat

@Suite struct DamageTests {
  @Test(arguments: Architecture.allCases)
  func aTapeCutAnywhereGivesItsWholeBlocks(_ architecture: Architecture) throws {
    let (original, flushes) = SmallTape.tiny(architecture)
    let tape = try original.bytes(flushes: flushes)
    let boundaries = TapeSurgery.boundaries(tape)
    let blocks = [original.items[..<2], original.items[2...]]
    for cut in 0..<tape.count {
      let part = Array(tape[..<cut])
      guard cut >= boundaries[0] else {
        #expect(throws: TapeError.self) { try Reading(part) }
        continue
      }
      let read = try Reading(part)
      let whole = boundaries.filter { $0 <= cut }.count - 1
      #expect(read.items == Array(blocks[..<min(whole, 2)].joined()))
      #expect(read.trailer == nil)
      #expect(read.damage.isEmpty == boundaries.contains(cut), "cut at \(cut)")
    }
  }

  @Test(arguments: Architecture.allCases)
  func aFlippedBitNeverGivesWrongHitsInSilence(_ architecture: Architecture) throws {
    let (original, flushes) = SmallTape.tiny(architecture)
    let tape = try original.bytes(flushes: flushes)
    let blocks = [original.items[..<2], original.items[2...]]
    for bit in 0..<tape.count * 8 {
      var flipped = tape
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      guard let read = try? Reading(flipped) else { continue }
      if read.damage.isEmpty {
        #expect(read.recording == original, "bit \(bit)")
      } else {
        let kept = blocks.filter { $0.allSatisfy(read.items.contains) }
        #expect(read.items == Array(kept.joined()), "bit \(bit)")
        #expect(
          kept.count == 2 || (kept.count == 1 && read.trailer != nil),
          "one flip costs one record, bit \(bit)")
      }
    }
  }

  @Test func everyBlockDecodesWithoutTheOnesBefore() throws {
    let surgery = try TapeSurgery(SmallTape.bytes())
    for (index, block) in SmallTape.blocks().enumerated() {
      var alone = surgery
      alone.records = [surgery.records[index]]
      let read = try Reading(alone.tape)
      #expect(read.items == block)
      #expect(
        read.damage.map(\.reason)
          == (index == 0
            ? [] : [.sequence(expected: 0, found: UInt32(index))]))
    }
  }

  @Test func aMissingBlockIsReportedInItsPlace() throws {
    var surgery = try TapeSurgery(SmallTape.bytes())
    surgery.records.remove(at: 1)
    let read = try Reading(surgery.tape)
    #expect(read.damage.map(\.reason) == [.sequence(expected: 1, found: 2)])
    #expect(read.items == SmallTape.blocks()[0] + SmallTape.blocks()[2])
    #expect(read.trailer != nil)
  }

  @Test func bytesLostWithinABlockDoNotCostTheNext() throws {
    var tape = try SmallTape.bytes()
    let boundaries = TapeSurgery.boundaries(tape)
    tape.removeSubrange(boundaries[2] - 40..<boundaries[2] - 20)
    let read = try Reading(tape)
    #expect(read.items == SmallTape.blocks()[0] + SmallTape.blocks()[2])
    #expect(read.damage.count == 1)
    #expect(read.damage.first?.offset == UInt64(boundaries[1]))
    #expect(read.damage.first?.length == UInt64(boundaries[2] - boundaries[1] - 20))
    #expect(read.damage.first?.hits == 4)
    #expect(read.trailer == SmallTape.recording().trailer)
  }

  @Test func rubbishBetweenRecordsIsSteppedOver() throws {
    var tape = try SmallTape.bytes()
    let place = TapeSurgery.boundaries(tape)[1]
    tape.insert(contentsOf: [0xD3, 0x5A, 0x4F, 0xB5, 1, 2, 3, 0xD3], at: place)
    let read = try Reading(tape)
    #expect(read.recording == SmallTape.recording())
    #expect(
      read.damage == [TapeDamage(offset: UInt64(place), length: 8, reason: .noFrame)])
  }

  @Test func bytesAfterTheTrailerAreReportedBeforeIt() throws {
    let tape = try SmallTape.bytes()
    let read = try Reading(tape + [1, 2, 3])
    #expect(read.recording == SmallTape.recording())
    #expect(
      read.damage == [
        TapeDamage(offset: UInt64(tape.count), length: 3, reason: .bytesAfterTrailer)
      ])
  }

  @Test func damageInAGroupNobodyAskedForIsNotNoticed() throws {
    var surgery = try TapeSurgery(SmallTape.bytes())
    surgery.records[0].contents[3][0] ^= 0xFF
    var reader = try TapeReader(bytes: surgery.tape)
    var columns = HitColumns()
    #expect(try reader.next(into: &columns, selecting: .judged) == .block)
    #expect(columns.count == 4)
  }
}

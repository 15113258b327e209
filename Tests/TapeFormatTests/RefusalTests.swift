import ProbeEvents
import Testing

@testable import TapeFormat

@Suite struct RefusalTests {
  private func refusal(_ bytes: [UInt8]) -> TapeError? {
    do {
      _ = try Reading(bytes)
      return nil
    } catch {
      return error
    }
  }

  /// A prelude with some bytes replaced and its checksum made right again.
  private func patched(_ offset: Int, _ value: UInt32) throws -> [UInt8] {
    var tape = try SmallTape.bytes()
    tape.storeLittleEndian(value, at: offset)
    tape.storeLittleEndian(Checksum.crc32c(tape, 0..<28), at: 28)
    return tape
  }

  @Test func aNewerVersionIsRefusedWithBothVersionsNamed() throws {
    let error = try #require(refusal(try patched(8, 2)))
    #expect(error == .newerVersion(found: 2, supported: 1))
    #expect(error.description.contains("version 2"))
    #expect(error.description.contains("up to 1"))
  }

  @Test func anEmptyFileIsRefused() {
    #expect(refusal([]) == .empty)
  }

  @Test(arguments: ["#!/bin/sh\n", "PERFILE2 and so on", "\u{7F}ELF", "p"])
  func aFileThatIsNoTapeIsRefused(_ text: String) {
    #expect(refusal(Array(text.utf8)) == .notATape)
  }

  @Test func aTapeInTheOtherByteOrderIsRefused() throws {
    let tape = try SmallTape.bytes()
    #expect(refusal(tape[..<8].reversed() + tape[8...]) == .foreignByteOrder)
  }

  @Test func aDamagedHeaderIsRefused() throws {
    var tape = try SmallTape.bytes()
    tape[40] ^= 1
    #expect(refusal(tape) == .headerChecksum(offset: 32))
    tape = try SmallTape.bytes()
    tape[9] ^= 1
    #expect(refusal(tape) == .headerChecksum(offset: 0))
    #expect(
      refusal(try patched(20, UInt32.max))
        == .headerTooLong(length: UInt64(UInt32.max), offset: 20))
  }

  @Test func unknownFeaturesAreRefusedOnlyWhenMandatory() throws {
    #expect(refusal(try patched(12, 4)) == .unknownFeatures(bits: 4, offset: 12))
    let read = try Reading(try patched(16, 5))
    #expect(read.skipped == 2)
    #expect(read.recording == SmallTape.recording())
  }

  @Test func aDirectoryIsRefusedAsSuch() {
    #expect(throws: TapeError.isDirectory(path: "/")) { try TapeReader(path: "/") }
  }

  @Test func aPathThatIsNotThereIsRefusedWithItsErrno() {
    // 2 is ENOENT on Linux.
    let path = "/nowhere/at all.tape"
    #expect(
      throws: TapeError.system(
        operation: "open", path: path, errno: 2)
    ) { try TapeReader(path: path) }
  }

  @Test func unknownOptionalPartsAreSkippedAndCounted() throws {
    var surgery = try TapeSurgery(SmallTape.bytes())
    surgery.records.insert(
      TapeSurgery.Record(
        header: FrameHeader(kind: 0x0077, sequence: 0, hits: 0, groups: []), contents: []), at: 1)
    surgery.records[2].header.groups.append(
      FrameHeader.Group(id: 0x0042, encoding: 9, storedLength: 0, decodedLength: 0))
    surgery.records[2].contents.append([1, 2, 3])
    surgery.records[4].contents[0] += [98, 2, 7, 7]
    for index in surgery.records.indices {
      surgery.records[index].header.sequence = UInt32(index)
    }
    let read = try Reading(surgery.tape)
    #expect(read.damage.isEmpty)
    #expect(read.recording == SmallTape.recording())
    #expect(read.skipped == 3)
  }

  @Test func anUnknownMandatoryRecordStopsWithItsOffset() throws {
    let tape = try SmallTape.bytes()
    var surgery = try TapeSurgery(tape)
    surgery.records[1].header.kind = 0x8077
    let error = refusal(try surgery.tape)
    guard case .unknownMandatory(.unknownRecord(0x8077), let offset) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(offset > 32 && offset < UInt64(tape.count))
  }

  @Test func anUnknownMandatoryGroupEncodingFieldOrSideEventStops() throws {
    let whole = try TapeSurgery(SmallTape.bytes())
    var surgery = whole
    surgery.records[0].header.groups[1].id = 0x8099
    guard case .unknownMandatory(.unknownGroup(0x8099), _) = refusal(try surgery.tape) else {
      Issue.record("group")
      return
    }
    surgery = whole
    surgery.records[0].header.groups[1].encoding = 2
    guard case .unknownMandatory(.unknownGroup(0x8002), _) = refusal(try surgery.tape) else {
      Issue.record("encoding")
      return
    }
    surgery = whole
    surgery.records[3].contents[0] += [99, 0]
    guard case .unknownMandatory(.unknownField(99), _) = refusal(try surgery.tape) else {
      Issue.record("field")
      return
    }
    surgery = whole
    let bytes = surgery.records[0].contents[0]
    let events = try Streams.split(bytes, count: Streams.Judged.allCases.count)
    let place = try #require(events.last?.offset)
    surgery.records[0].contents[0][place + 2] = 101
    guard case .unknownMandatory(.unknownSideEvent(101), _) = refusal(try surgery.tape) else {
      Issue.record("side event")
      return
    }
  }

  @Test func aFailedReaderStaysFailed() throws {
    var surgery = try TapeSurgery(SmallTape.bytes())
    surgery.records[0].header.kind = 0x8077
    var reader = try TapeReader(bytes: surgery.tape)
    var columns = HitColumns()
    for _ in 0..<2 {
      #expect(throws: TapeError.self) {
        try reader.next(into: &columns, selecting: .judged)
      }
    }
  }

  @Test func aCompressionLevelThatZstdDoesNotHaveIsRefused() {
    #expect(throws: TapeError.compressionLevel(23)) {
      try TapeWriter(
        header: Recording.header(.x86_64), options: TapeWriterOptions(compressionLevel: 23),
        output: MemoryTapeOutput())
    }
  }

  @Test func aFinishedTapeTakesNothingMore() throws {
    var writer = try TapeWriter(header: Recording.header(.x86_64), output: MemoryTapeOutput())
    let trailer = TapeTrailer(targetExit: .unknown, entries: 0, returns: 0, lost: 0, endTime: 0)
    try writer.finish(trailer)
    #expect(throws: TapeError.alreadyFinished) { try writer.finish(trailer) }
    #expect(throws: TapeError.alreadyFinished) {
      try writer.append(
        TimedSideEvent(time: 0, event: .exit(ThreadIdentity(process: 1, thread: 1))))
    }
  }
}

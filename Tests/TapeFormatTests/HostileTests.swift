import ProbeEvents
import Testing

@testable import TapeFormat

@Suite struct HostileTests {
  @Test func aGroupThatClaimsMoreThanItCanHoldIsRefusedBeforeItIsDecoded() throws {
    var surgery = try TapeSurgery(SmallTape.bytes())
    let record = surgery.records[0]
    surgery.records = []
    for claimed in [1 << 25, 1 << 31, Int(UInt32.max)] {
      let compressor = try ZstdCompressor(level: 1)
      var payload: [UInt8] = []
      let stored = try compressor.compress([[1, 2, 3]], length: 3, into: &payload)
      var header = record.header
      header.groups = [header.groups[0]]
      header.groups[0].storedLength = stored
      header.groups[0].decodedLength = claimed
      let read = try Reading(surgery.start + TapeSurgery.bytes(header, payload))
      #expect(read.items.isEmpty)
      #expect(read.damage.map(\.reason) == [.overLimit])
    }
  }

  @Test func aPayloadLongerThanTheFileTakesNoMemoryForIt() throws {
    let surgery = try TapeSurgery(SmallTape.bytes())
    var header = surgery.records[0].header
    header.groups[0].storedLength = 1 << 24
    let read = try Reading(surgery.start + TapeSurgery.bytes(header, [1, 2, 3]))
    #expect(read.damage.map(\.reason) == [.truncated])
  }

  @Test(arguments: [
    FrameHeader(kind: 0x8001, sequence: 0, hits: (1 << 16) + 1, groups: []),
    FrameHeader(
      kind: 0x8001, sequence: 0, hits: 0,
      groups: [
        FrameHeader.Group(
          id: 0x8001, encoding: 1, storedLength: (1 << 25) + 1, decodedLength: 1)
      ]),
    FrameHeader(
      kind: 0x8001, sequence: 0, hits: 0,
      groups: Array(
        repeating: FrameHeader.Group(
          id: 0x8001, encoding: 1, storedLength: 1, decodedLength: 1), count: 17)),
  ])
  func aRecordHeaderBeyondTheLimitsIsNone(_ header: FrameHeader) throws {
    let surgery = try TapeSurgery(SmallTape.bytes())
    let read = try Reading(
      surgery.start + TapeSurgery.bytes(header, []) + [UInt8](repeating: 0, count: 300))
    #expect(read.damage.map(\.reason) == [.noFrame])
  }

  /// The checksums of these hold, so that it is the decoders who must not be fooled.
  @Test(arguments: Architecture.allCases, [11, 12, 13])
  func crookedStreamsEndInBlocksOrDamage(_ architecture: Architecture, seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let tape = try RandomRecording.make(architecture, seed: seed, items: 40).bytes()
    let surgery = try TapeSurgery(tape)
    var damaged = 0
    for _ in 0..<150 {
      var crooked = surgery
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        let group = Int.random(in: 0..<4, using: &random)
        Self.bend(&crooked.records[0].contents[group], &random)
      }
      if Int.random(in: 0..<4, using: &random) == 0 {
        crooked.records[0].header.hits = Int.random(in: 0...65_536, using: &random)
      }
      do {
        let read = try Reading(crooked.tape)
        damaged += read.damage.count
        #expect(read.damage.count + read.blocks.count == 1)
      } catch {
        // The only refusal that bent streams can bring about: a side event of an unknown odd kind.
        guard case TapeError.unknownMandatory(.unknownSideEvent, _) = error else {
          Issue.record("unexpected \(error)")
          continue
        }
      }
    }
    #expect(damaged > 30)
  }

  /// All other streams are whole, so that it is the short one that is noticed.
  @Test(
    arguments: [Streams.Judged.codes, .lowBytes, .highBytes, .stackPointers],
    [1, 2, 3, 7, 8, 9, 40])
  func aShortStreamIsCalledShort(_ stream: Streams.Judged, missing: Int) throws {
    var surgery = try TapeSurgery(WindowTape.make(hits: 60, seed: 3).bytes())
    let content = surgery.records[0].contents[0]
    var cursors = try Streams.split(content, count: Streams.Judged.allCases.count)
    let short = cursors.remove(at: stream.rawValue)
    var changed = content
    changed.storeLittleEndian(UInt32(short.remaining - missing), at: 4 * stream.rawValue)
    changed.removeSubrange(short.end - missing..<short.end)
    surgery.records[0].contents[0] = changed
    #expect(try Reading(surgery.tape).damage.map(\.reason) == [.streamTooShort])
  }

  private static func bend(_ content: inout [UInt8], _ random: inout SeededRandom) {
    guard !content.isEmpty else { return }
    let place = Int.random(in: 0..<content.count, using: &random)
    switch Int.random(in: 0..<5, using: &random) {
    case 0: content[place] = UInt8.random(in: 0...255, using: &random)
    case 1: content[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 2: content[place] = 0xFF
    case 3: content.remove(at: place)
    default: content.insert(UInt8.random(in: 0...255, using: &random), at: place)
    }
  }

  @Test func randomBytesAfterAHeaderEndInDamage() throws {
    var random = SeededRandom(seed: 5)
    let start = try TapeSurgery(SmallTape.bytes()).start
    for _ in 0..<300 {
      let length = Int.random(in: 1..<600, using: &random)
      let read = try Reading(
        start + (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) })
      #expect(read.items.isEmpty && !read.damage.isEmpty)
    }
  }
}

import Foundation
import ProbeEvents
import TapeFormat
import Testing

/// The reader against `tools/tape-decoder`, which was written from the specification alone: where
/// the two disagree, one of them or the specification is wrong.
@Suite(
  .enabled(if: SecondDecoder.canRun, "needs /usr/bin/python3 with zstandard (python3-zstandard)"))
struct SecondDecoderTests {
  /// All tapes of the repository.
  private static let recordings: [String] = {
    let folder = SecondDecoder.top.appending(path: "recordings")
    let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil)
    let found = files?.compactMap { ($0 as? URL)?.path }.filter { $0.hasSuffix(".tape") } ?? []
    return found.map { String($0.dropFirst(folder.path.count + 1)) }.sorted()
  }()

  @Test func thereAreRecordings() {
    #expect(!Self.recordings.isEmpty)
  }

  @Test(arguments: recordings)
  func bothReadTheSameFromARecording(_ name: String) throws {
    let bytes = try Data(contentsOf: SecondDecoder.top.appending(path: "recordings/" + name))
    let outcome = try compare([UInt8](bytes))
    #expect(outcome.status == 0, "\(outcome.messages)")
    #expect(outcome.lines.contains { $0.hit != nil })
  }

  @Test(arguments: Architecture.allCases, [UInt64(31), 32])
  func bothReadTheSameRandomHits(_ architecture: Architecture, seed: UInt64) throws {
    let tape = RandomRecording.make(architecture, seed: seed, items: 300)
    let outcome = try compare(try tape.bytes(options: TapeWriterOptions(hitsPerBlock: 97)))
    #expect(outcome.status == 0, "\(outcome.messages)")
    #expect(outcome.lines.contains { $0.hit != nil })
  }

  @Test(arguments: Architecture.allCases, [UInt64(41), 42])
  func bothReadTheSameStacks(_ architecture: Architecture, seed: UInt64) throws {
    let outcome = try compare(try StackTape.make(architecture, seed: seed).bytes)
    #expect(outcome.status == 0, "\(outcome.messages)")
    #expect(outcome.lines.contains { $0.hit?.frames?.isEmpty == false })
  }

  @Test(arguments: [1, 2, 3, 4, 5, 6, 7])
  func bothSkipTheSameDamage(eighths: Int) throws {
    let whole = try SmallTape.bytes()
    let start = try #require(TapeSurgery.boundaries(whole).first)
    let place = start + (whole.count - start) * eighths / 8

    var flipped = whole
    flipped[place] ^= 0x10
    #expect(try compare(flipped).status == 1)

    #expect(try compare(whole + [0]).status == 1)
    #expect(try compare(Array(whole[..<place])).status == 1)
    #expect(try compare(Array(whole[..<place] + whole[(place + 3)...])).status == 1)
  }

  @Test func bothRefuseAReferenceCounterThatBelongsToNoProbe() throws {
    let tape = try SmallTape.bytes()
    for field in [[14, 2, 3, 8], [14, 2, 0, 0], [14, 3, 0, 8, 8]] as [[UInt8]] {
      let changed = HeaderSurgery.appending(field, to: tape)
      #expect(throws: TapeError.self) { try TapeReader(bytes: changed) }
      let outcome = try SecondDecoder.decode(changed)
      #expect(outcome.status != 0 && outcome.referenceCounters == nil)
    }
    // The last of two counts, and a probe may have none.
    let good = HeaderSurgery.appending([14, 2, 0, 9, 14, 2, 0, 8], to: tape)
    #expect(try TapeReader(bytes: good).header.probes.map(\.referenceCounter) == [8, 0x1_8000, 0])
    #expect(try SecondDecoder.decode(good).referenceCounters == [8, 0x1_8000, 0])
  }

  /// Reads a tape with both and compares everything but the words of the messages.
  private func compare(_ bytes: [UInt8]) throws -> SecondDecoder.Outcome {
    let outcome = try SecondDecoder.decode(bytes)
    var expected: [SecondDecoder.Line] = []
    var damage: [String] = []
    var reader = try TapeReader(bytes: bytes)
    var columns = HitColumns()
    loop: while true {
      switch try reader.next(into: &columns, selecting: .all) {
      case .block: expected += lines(columns, reader.header, after: expected)
      case .damage(let found):
        damage.append("damaged at offset \(found.offset), \(found.length) bytes")
      case .trailer, .end: break loop
      }
    }
    #expect(outcome.referenceCounters == reader.header.probes.map(\.referenceCounter))
    #expect(outcome.lines.count == expected.count)
    for (second, first) in zip(outcome.lines, expected) { #expect(second == first) }
    #expect(outcome.messages.filter { $0.contains("damaged at") }.count == damage.count)
    for (message, place) in zip(outcome.messages, damage) { #expect(message.contains(place)) }
    #expect(outcome.messages.contains { $0.contains("incomplete") } == !reader.isComplete)
    return outcome
  }

  private func lines(
    _ columns: HitColumns, _ header: TapeHeader, after before: [SecondDecoder.Line]
  ) -> [SecondDecoder.Line] {
    var lines: [SecondDecoder.Line] = []
    let number = before.count { $0.hit != nil }
    for index in 0...columns.count {
      for event in columns.sideEvents where event.beforeHit == index {
        lines.append(line(event.event))
      }
      if index < columns.count { lines.append(line(columns, index, header, number + index)) }
    }
    return lines
  }

  private func line(_ event: TimedSideEvent) -> SecondDecoder.Line {
    let name =
      switch event.event {
      case .mapping: "mapping"
      case .threadName: "threadName"
      case .fork: "fork"
      case .exec: "exec"
      case .exit: "exit"
      case .signal: "signal"
      case .lost: "lost"
      case .attached: "attached"
      case .witness: "witness"
      }
    return SecondDecoder.Line(time: event.time, side: name)
  }

  private func line(
    _ columns: HitColumns, _ index: Int, _ header: TapeHeader, _ number: Int
  ) -> SecondDecoder.Line {
    let layout = header.kernel.architecture.registerLayout
    let registers = columns.registers[index * layout.count..<(index + 1) * layout.count]
    let start = Int(columns.windowStarts[index])
    let window = columns.windowWords[start..<Int(columns.windowStarts[index + 1])]
    let hit = SecondDecoder.Hit(
      hit: number, kind: columns.kinds[index] == .entry ? "entry" : "return",
      probe: header.probes[Int(columns.probes[index])].displayName,
      process: columns.threadTable[Int(columns.threads[index])].process,
      thread: columns.threadTable[Int(columns.threads[index])].thread,
      cpu: columns.cpus[index], function: text(columns.functions[index]),
      registers: Dictionary(uniqueKeysWithValues: zip(layout.names, registers.map(text))),
      stack: window.map(text), frames: frames(columns, index),
      ending: columns.frames(ofHit: index).map { "\($0.ending)" })
    return SecondDecoder.Line(time: columns.times[index], hit: hit)
  }

  private func frames(_ columns: HitColumns, _ index: Int) -> [SecondDecoder.Frame]? {
    columns.frames(ofHit: index)?.frames.map { named in
      SecondDecoder.Frame(
        offset: text(named.frame.offset), exact: named.frame.isExact, file: named.file?.path,
        buildID: named.file.map { file in
          file.buildID.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }, function: named.function, distance: named.function == nil ? nil : named.distance)
    }
  }

  private func text(_ value: UInt64) -> String {
    "0x" + String(value, radix: 16)
  }
}

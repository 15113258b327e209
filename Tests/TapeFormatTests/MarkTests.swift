import ProbeEvents
import TapeFormat
import Testing

/// The marks of a word are what a look at each window gives.
@Suite struct MarkTests {
  @Test(arguments: Architecture.allCases, [1, 2, 3])
  func marksAreWhereTheWordIs(_ architecture: Architecture, seed: UInt64) throws {
    let tape = RandomRecording.make(architecture, seed: seed, items: 700)
    let bytes = try tape.bytes(options: TapeWriterOptions(hitsPerBlock: 97))
    for word in Self.frequentWords(tape) where word != 0 {
      #expect(try Self.check(bytes, marking: word) > 0)
    }
    #expect(try Self.check(bytes, marking: 0x0123_4567_89AB_CDEF) == 0)
    #expect(try Self.check(bytes, marking: 0) == 0)
  }

  @Test(arguments: [1, 7, 8, 9, 16, 200])
  func windowsOfEverySizeAreMarked(words: Int) throws {
    var random = SeededRandom(seed: 8)
    var tape = Recording(header: Recording.header(.x86_64))
    let layout = Architecture.x86_64.registerLayout
    for index in 0..<3000 {
      var registers = [UInt64](repeating: 0, count: layout.count)
      // All slots of the words last seen are used, and windows go round about.
      registers[layout.stackPointer] =
        0x7fff_0000_0000 + UInt64.random(in: 0..<16384, using: &random) * 8
      let window = (0..<words).map { _ in UInt64.random(in: 0..<3, using: &random) * 0x7000 }
      tape.items.append(
        .hit(
          HitImage(
            kind: index % 2 == 0 ? .entry : .return, registers: registers, window: window)))
    }
    #expect(try Self.check(tape.bytes(), marking: 0x7000) > 100)
    #expect(try Self.check(tape.bytes(), marking: 0) == 0)
  }

  /// Compares the marks with the windows; returns how many there are.
  private static func check(_ bytes: [UInt8], marking word: UInt64) throws -> Int {
    var reader = try TapeReader(bytes: bytes)
    var columns = HitColumns()
    var found = 0
    while true {
      switch try reader.next(into: &columns, selecting: .judged, marking: word) {
      case .block:
        #expect(columns.marks.count == columns.count)
        #expect(columns.markedWord == word)
        for hit in 0..<columns.count {
          let start = Int(columns.windowStarts[hit])
          let window = columns.windowWords[start..<Int(columns.windowStarts[hit + 1])].prefix(8)
          for place in 0..<8 {
            let isMarked = columns.marks[hit] & 1 << UInt8(place) != 0
            let isThere = word != 0 && place < window.count && window[start + place] == word
            if isMarked != isThere { Issue.record("hit \(hit), word \(place)") }
            if isMarked { found += 1 }
          }
        }
      case .trailer: break
      case .damage(let damage): Issue.record("\(damage)")
      case .end: return found
      }
    }
  }

  /// The three words that are most often among the first eight of a window.
  private static func frequentWords(_ tape: Recording) -> [UInt64] {
    var counts: [UInt64: Int] = [:]
    for case .hit(let image) in tape.items {
      for word in image.window.prefix(8) { counts[word, default: 0] += 1 }
    }
    return counts.sorted { ($0.value, $0.key) > ($1.value, $1.key) }.prefix(3).map(\.key)
  }
}

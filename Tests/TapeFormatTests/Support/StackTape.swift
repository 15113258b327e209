import ProbeEvents
import TapeFormat

/// Tapes with stacks, from random trees of frames.
enum StackTape {
  /// What is put on the tape: of each hit its stack in text form.
  struct Contents: Equatable {
    var stacks: [String?] = []
    var damage: [TapeDamage] = []
    var isComplete = false
  }

  static let symbols = [
    StackSymbol(
      file: StackFile(path: "/bin/a", buildID: [1]), offset: 16, start: 8, name: "f(int)"),
    StackSymbol(
      file: StackFile(path: "/bin/a", buildID: [1]), offset: 20, start: 8, name: "f(int)"),
    StackSymbol(file: StackFile(path: "/bin/b"), offset: 40, start: 40, name: "g"),
  ]

  /// A tape with three blocks, and what it holds.
  static func make(
    _ architecture: Architecture = .x86_64, seed: UInt64 = 1, hits: Int = 60
  ) throws -> (bytes: [UInt8], contents: Contents) {
    var random = SeededRandom(seed: seed)
    let output = MemoryTapeOutput()
    var writer = try TapeWriter(header: Recording.header(architecture), output: output)
    try writer.append(symbols)
    var table = StackTable()
    var contents = Contents()
    var pool: [StackReference] = [0]
    for hit in 0..<hits {
      if hit > 0, hit % (hits / 3) == 0 { try writer.flush() }
      if Int.random(in: 0..<3, using: &random) == 0 { pool.append(stack(&table, &random)) }
      let stack = pool[Int.random(in: 0..<pool.count, using: &random)]
      let image = HitImage(kind: .entry, time: UInt64(hit), registers: [])
      try writer.append(image.hit, window: image.window.span, stack: stack, of: table)
      contents.stacks.append(text(table, StackSymbols(), stack))
    }
    try writer.finish(
      TapeTrailer(targetExit: .exited(0), entries: 60, returns: 0, lost: 0, endTime: 1))
    contents.isComplete = true
    return (output.bytes, contents)
  }

  private static func stack(
    _ table: inout StackTable, _ random: inout SeededRandom
  ) -> StackReference {
    let files = [
      table.place(of: symbols[0].file), table.place(of: symbols[2].file),
      table.place(of: StackFile(path: "[vdso]")), StackFrame.noFile,
    ]
    let frames = (0..<Int.random(in: 1...6, using: &random)).map { _ in
      StackFrame(
        file: files[Int.random(in: 0..<4, using: &random)],
        offset: random.next() >> UInt64.random(in: 0...63, using: &random),
        isExact: Bool.random(using: &random))
    }
    let ending = StackEnding.allCases[Int.random(in: 0..<7, using: &random)]
    return table.reference(of: frames, ending)
  }

  /// A stack in a form that compares; nil for none.
  static func text(
    _ table: StackTable, _ symbols: StackSymbols, _ stack: StackReference
  ) -> String? {
    guard stack > 0 else { return nil }
    let frames = table.frames(of: stack).map { frame in
      let file = table.file(of: frame)
      return "\(file?.path ?? "-")\(file?.buildID ?? []) \(frame.offset) \(frame.isExact)"
    }
    return frames.joined(separator: "; ") + " \(table.ending(of: stack))"
  }

  /// Reads a tape's stacks.
  static func read(_ bytes: [UInt8]) throws(TapeError) -> Contents {
    var reader = try TapeReader(bytes: bytes)
    var columns = HitColumns()
    var contents = Contents()
    while true {
      switch try reader.next(into: &columns, selecting: .all) {
      case .block:
        for hit in 0..<columns.count {
          let stack = columns.stacks.isEmpty ? 0 : columns.stacks[hit]
          contents.stacks.append(text(columns.stackTable, columns.stackSymbols, stack))
        }
      case .damage(let damage): contents.damage.append(damage)
      case .trailer: contents.isComplete = true
      case .end: return contents
      }
    }
  }
}

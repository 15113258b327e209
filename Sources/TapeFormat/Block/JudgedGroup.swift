import ProbeEvents

/// Decodes the judged group of a block: its thread table, its hits, its side events.
enum JudgedGroup {
  private typealias Stream = Streams.Judged

  /// Decodes a judged group into columns, which are incomplete when it throws, and marks a word in
  /// all windows. Returns how many unknown side events were skipped.
  static func decode(
    _ content: [UInt8], hits: Int, probeCount: Int, convention: CallConvention,
    marking word: UInt64, memory: ModelMemory, into columns: inout HitColumns
  ) throws(TapeDamage.Reason) -> Int {
    let cursors = try Streams.split(content, count: Stream.allCases.count)
    let shapes = cursors[Stream.shapes.rawValue]
    guard shapes.remaining == hits else { throw .streamTooShort }
    try decodeThreads(content, cursors[Stream.threadTable.rawValue], into: &columns)
    // Without a thread or probe there is nothing that a hit's predictions can be.
    guard hits == 0 || (!columns.threadTable.isEmpty && probeCount > 0) else {
      throw .valueOutOfRange
    }
    let words = try wordCount(content, cursors)
    columns.resizeJudged(hits: hits, words: words, hasLink: convention.hasLink)
    columns.windowStarts[0] = 0
    let threadCount = columns.threadTable.count
    try columns.withMarkTables(of: word, hits: hits) {
      (tables, marks) throws(TapeDamage.Reason) in
      let model = JudgedModel(
        memory, convention, threads: threadCount, hits: hits,
        stackPointers: tables.stackPointers)
      var decoder = JudgedDecoder(
        cursors, tables, model, SlotMarks(of: word, memory, marks: marks),
        threadCount: threadCount, probeCount: probeCount)
      try decoder.decode(hits: hits, shapes, content.span)
      try decoder.finish(words: words)
    }
    let events = cursors[Stream.sideEvents.rawValue]
    var reader = FieldReader(content, events.offset..<events.end)
    return try SideEventCodec.decode(&reader, hits: hits, into: &columns.sideEvents)
  }

  private static func decodeThreads(
    _ content: [UInt8], _ table: Cursor, into columns: inout HitColumns
  ) throws(TapeDamage.Reason) {
    var fields = FieldReader(content, table.offset..<table.end)
    while !fields.isAtEnd {
      guard columns.threadTable.count < TapeLimits.threadsPerBlock else { throw .overLimit }
      columns.threadTable.append(try SideEventCodec.thread(&fields))
    }
  }

  /// The number of stack words, which is bounded before memory is taken for them: each eight have
  /// a mask.
  private static func wordCount(
    _ content: [UInt8], _ cursors: [Cursor]
  ) throws(TapeDamage.Reason) -> Int {
    var reader = cursors[Stream.wordCount.rawValue]
    let count = try reader.varint(content.span)
    try reader.finish()
    guard count <= UInt64(TapeLimits.wordsPerBlock),
      count <= 8 * UInt64(cursors[Stream.masks.rawValue].remaining)
    else { throw .overLimit }
    return Int(count)
  }
}

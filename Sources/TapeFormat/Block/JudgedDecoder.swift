import ProbeEvents

/// Streams -> judged columns. The twin of ``JudgedEncoder``; keep them side by side.
struct JudgedDecoder {
  private typealias Stream = Streams.Judged

  private let columns: ColumnTables
  private let model: JudgedModel
  private var far = FarValues()
  private let threadCount: UInt64
  private let probeCount: UInt64
  private var wordsEnd = 0
  private var threads: Cursor
  private var probes: Cursor
  private var stackPointers: Cursor
  private var instructionPointers: Cursor
  private var functions: Cursor
  private var flags: Cursor
  private var lengths: Cursor
  private var links: Cursor
  private var linkValues: Cursor
  private var masks: Cursor
  private var codes: Cursor
  private var farCursors: FarValues.Cursors

  /// Decodes a judged group into columns, which are incomplete when it throws. Returns how many
  /// unknown side events were skipped.
  static func decode(
    _ content: [UInt8], hits: Int, probeCount: Int, convention: CallConvention,
    memory: ModelMemory, into columns: inout HitColumns
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
    let model = JudgedModel(memory, convention, threads: columns.threadTable.count, hits: hits)
    let threadCount = columns.threadTable.count
    try columns.withTables { (tables) throws(TapeDamage.Reason) in
      var decoder = JudgedDecoder(
        cursors, tables, model, threadCount: threadCount, probeCount: probeCount)
      let bytes = content.span
      for hit in 0..<hits {
        try decoder.decode(hit, shape: bytes[shapes.offset + hit], bytes)
      }
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

  private init(
    _ cursors: [Cursor], _ columns: ColumnTables, _ model: JudgedModel, threadCount: Int,
    probeCount: Int
  ) {
    self.columns = columns
    self.model = model
    self.threadCount = UInt64(threadCount)
    self.probeCount = UInt64(probeCount)
    threads = cursors[Stream.threads.rawValue]
    probes = cursors[Stream.probes.rawValue]
    stackPointers = cursors[Stream.stackPointers.rawValue]
    instructionPointers = cursors[Stream.instructionPointers.rawValue]
    functions = cursors[Stream.functions.rawValue]
    flags = cursors[Stream.flags.rawValue]
    lengths = cursors[Stream.lengths.rawValue]
    links = cursors[Stream.links.rawValue]
    linkValues = cursors[Stream.linkValues.rawValue]
    masks = cursors[Stream.masks.rawValue]
    codes = cursors[Stream.codes.rawValue]
    farCursors = FarValues.Cursors(
      regions: cursors[Stream.regions.rawValue], low: cursors[Stream.lowBytes.rawValue],
      high: cursors[Stream.highBytes.rawValue])
  }

  @inline(__always)
  private mutating func decode(
    _ hit: Int, shape: UInt8, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) {
    var index: UInt32 = hit == 0 ? 0 : columns.threads[hit - 1]
    if shape & Shape.thread != 0 {
      let value = try threads.varint(bytes)
      guard value < threadCount else { throw .valueOutOfRange }
      index = UInt32(truncatingIfNeeded: value)
    }
    let thread = Int(index)
    columns.threads[hit] = index
    if shape & Shape.flags != 0 {
      model.threads[thread].flags = HitFlags(rawValue: try flags.byte(bytes))
    }
    let hitFlags = model.threads[thread].flags
    columns.flags[hit] = hitFlags
    if shape & Shape.length != 0 {
      let value = try lengths.varint(bytes)
      guard value <= UInt64(TapeLimits.wordsPerWindow) else { throw .overLimit }
      model.threads[thread].windowLength = UInt32(truncatingIfNeeded: value)
    }
    let kind: HitKind = shape & Shape.isReturn == 0 ? .entry : .return
    columns.kinds[hit] = kind
    let reference =
      switch kind {
      case .entry: try decodeEntry(hit, thread, shape, bytes)
      case .return: try decodeReturn(hit, thread, hitFlags, shape, bytes)
      }
    try decodeWindow(
      hit, thread, Int(model.threads[thread].windowLength), reference, bytes)
    model.finish(
      hit, thread, kind: kind, site: columns.site(of: hit, kind, model.convention),
      stackPointer: columns.stackPointers[hit])
  }

  @inline(__always)
  private mutating func decodeEntry(
    _ hit: Int, _ thread: Int, _ shape: UInt8, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) -> Int {
    let reference = model.expectedEntry(thread)
    let probe = try decodeProbe(
      hit, shape, reference == 0 ? 0 : columns.probes[reference - 1], bytes)
    var stackPointer = model.expectedStackPointer(reference, thread)
    if shape & Shape.stackPointer != 0 {
      stackPointer = try stackPointers.miss(bytes, stackPointer)
    }
    columns.stackPointers[hit] = stackPointer
    var address = model.expectedEntryAddress(probe)
    if shape & Shape.instructionPointer != 0 {
      address = try instructionPointers.miss(bytes, address)
    }
    columns.instructionPointers[hit] = address
    columns.functions[hit] =
      shape & Shape.function == 0 ? address : try functions.miss(bytes, address)
    if model.convention.hasLink {
      _ = try decodeLink(hit, reference == 0 ? 0 : columns.links[reference - 1], bytes)
    }
    model.noteEntry(
      hit, thread, probe: probe, instructionPointer: address, stackPointer: stackPointer)
    return reference
  }

  @inline(__always)
  private mutating func decodeReturn(
    _ hit: Int, _ thread: Int, _ flags: HitFlags, _ shape: UInt8, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) -> Int {
    let entry = model.calls.pop(thread)
    var expected = columns.expectedReturn(
      from: entry, flags, model.convention, stackPointer: model.threads[thread].stackPointer)
    _ = try decodeProbe(hit, shape, expected.probe, bytes)
    if shape & Shape.stackPointer != 0 {
      expected.stackPointer = try stackPointers.miss(bytes, expected.stackPointer)
    }
    columns.stackPointers[hit] = expected.stackPointer
    if shape & Shape.instructionPointer != 0 {
      expected.address = try instructionPointers.miss(bytes, expected.address)
    }
    columns.instructionPointers[hit] = expected.address
    columns.functions[hit] =
      shape & Shape.function == 0
      ? expected.function : try functions.miss(bytes, expected.function)
    if model.convention.hasLink {
      model.threads[thread].linkAtReturn =
        try decodeLink(hit, model.threads[thread].linkAtReturn, bytes)
    }
    model.noteReturn(thread, flags: flags, stackPointer: expected.stackPointer)
    return model.lastReturn(to: expected.address)
  }

  @inline(__always)
  private mutating func decodeProbe(
    _ hit: Int, _ shape: UInt8, _ prediction: UInt32, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) -> UInt32 {
    var probe = prediction
    if shape & Shape.probe != 0 {
      let value = try probes.varint(bytes)
      guard value < probeCount else { throw .valueOutOfRange }
      probe = UInt32(truncatingIfNeeded: value)
    }
    columns.probes[hit] = probe
    return probe
  }

  private mutating func decodeLink(
    _ hit: Int, _ prediction: UInt64, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) -> UInt64 {
    let value: UInt64
    switch try links.byte(bytes) {
    case 0: value = prediction
    case 1: value = try linkValues.miss(bytes, prediction)
    default: throw .valueOutOfRange
    }
    columns.links[hit] = value
    return value
  }

  @inline(__always)
  private mutating func decodeWindow(
    _ hit: Int, _ thread: Int, _ length: Int, _ reference: Int, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) {
    let start = wordsEnd
    guard length <= columns.words.count - start else { throw .overLimit }
    var slot = JudgedModel.wordSlot(columns.stackPointers[hit], thread)
    var first = 0
    while first < length {
      let count = min(8, length - first)
      let mask = try masks.byte(bytes)
      if mask == 0 && count == 8 && slot <= ModelMemory.wordSlots - 8 {
        model.words.copyEight(from: slot, to: columns.words, at: start + first)
        slot = (slot + 8) & (ModelMemory.wordSlots - 1)
      } else {
        guard count == 8 || mask >> UInt8(count) == 0 else { throw .valueOutOfRange }
        try decodeWords(first..<first + count, mask, start, &slot, reference, bytes)
      }
      first += count
    }
    wordsEnd = start + length
    columns.starts[hit + 1] = UInt32(truncatingIfNeeded: wordsEnd)
  }

  /// Decodes up to eight words, of which the mask's ones are not as last seen.
  @inline(__always)
  private mutating func decodeWords(
    _ places: Range<Int>, _ mask: UInt8, _ start: Int, _ slot: inout Int, _ reference: Int,
    _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) {
    var rest = mask
    for place in places {
      if rest & 1 != 0 {
        let code = try codes.byte(bytes)
        model.words[slot] =
          code == 0
          ? columns.word(place, of: reference) : try far.decode(code, bytes, &farCursors)
      }
      rest >>= 1
      columns.words[start + place] = model.words[slot]
      slot = (slot + 1) & (ModelMemory.wordSlots - 1)
    }
  }

  private func finish(words: Int) throws(TapeDamage.Reason) {
    guard wordsEnd == words else { throw .streamTooLong }
    for cursor in [
      threads, probes, stackPointers, instructionPointers, functions, flags, lengths, links,
      linkValues, masks, codes,
    ] {
      try cursor.finish()
    }
    try farCursors.finish()
  }
}

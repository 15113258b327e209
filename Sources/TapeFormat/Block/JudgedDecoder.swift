import ProbeEvents

/// Streams -> judged columns, hit by hit. The twin of ``JudgedEncoder``; keep them side by side.
/// ``JudgedGroup`` drives it.
struct JudgedDecoder {
  private typealias Stream = Streams.Judged

  private let columns: ColumnTables
  private let model: JudgedModel
  private var far = FarValues()
  private let threadCount: UInt64
  private let probeCount: UInt64
  private var wordsEnd = 0
  /// The thread of the hit before, by its index in the block's table.
  private var thread = 0
  /// What is known of that thread. It is in the model's table only while another thread has hits:
  /// to read back there what was just written would wait for the writing.
  private var state = ThreadState()
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

  init(
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

  /// Decodes a hit, whose index must be below the number of hits: all columns have that length.
  @inline(__always)
  mutating func decode(
    _ hit: Int, shape: UInt8, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) {
    if shape & Shape.thread != 0 {
      try decodeThread(bytes)
    }
    if shape & (Shape.flags | Shape.length) != 0 { try decodeRare(shape, bytes) }
    let kind: HitKind = shape & Shape.isReturn == 0 ? .entry : .return
    // The index is below the number of hits.
    unsafe columns.threads[unchecked: hit] = UInt32(truncatingIfNeeded: thread)
    unsafe columns.flags[unchecked: hit] = state.flags
    unsafe columns.kinds[unchecked: hit] = kind
    let stackPointer: UInt64
    var references = WordReferences()
    switch kind {
    case .entry:
      references.expected = model.expectedEntry(state)
      stackPointer = try decodeEntry(hit, &references, shape, bytes)
    case .return: stackPointer = try decodeReturn(hit, shape, bytes)
    }
    try decodeWindow(hit, stackPointer, Int(state.windowLength), references, bytes)
    let site = columns.site(of: hit, kind, model.convention)
    model.finish(&state, kind: kind, site: site, stackPointer: stackPointer)
  }

  @inline(never)
  private mutating func decodeThread(_ bytes: Span<UInt8>) throws(TapeDamage.Reason) {
    let value = try threads.varint(bytes)
    guard value < threadCount else { throw .valueOutOfRange }
    model.threads[thread] = state
    thread = Int(truncatingIfNeeded: value)
    state = model.threads[thread]
  }

  @inline(never)
  private mutating func decodeRare(
    _ shape: UInt8, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) {
    if shape & Shape.flags != 0 {
      state.flags = HitFlags(rawValue: try flags.byte(bytes))
    }
    if shape & Shape.length != 0 {
      let value = try lengths.varint(bytes)
      guard value <= UInt64(TapeLimits.wordsPerWindow) else { throw .overLimit }
      state.windowLength = UInt32(truncatingIfNeeded: value)
    }
  }

  /// Returns the stack pointer.
  @inline(__always)
  private mutating func decodeEntry(
    _ hit: Int, _ references: inout WordReferences, _ shape: UInt8, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) -> UInt64 {
    let reference = references.expected
    // References are earlier hits of this block, here and below, since all tables start empty. Where
    // there is none, the first hit is there to be read without a branch.
    var probe = unsafe columns.probes[unchecked: max(reference, 1) &- 1]
    if reference == 0 { probe = 0 }
    if shape & Shape.probe != 0 { probe = try decodeProbe(bytes) }
    var stackPointer = model.expectedStackPointer(reference, state)
    if shape & Shape.stackPointer != 0 {
      stackPointer = try stackPointers.miss(bytes, stackPointer)
    }
    references.sameProbe = model.lastEntry(of: probe)
    let sameProbe = references.sameProbe
    var address =
      unsafe sameProbe == 0 ? 0 : columns.instructionPointers[unchecked: sameProbe &- 1]
    if shape & Shape.instructionPointer != 0 {
      address = try instructionPointers.miss(bytes, address)
    }
    let function = shape & Shape.function == 0 ? address : try functions.miss(bytes, address)
    store(hit, probe, stackPointer, address, function)
    if model.convention.hasLink {
      _ = try decodeLink(hit, reference == 0 ? 0 : columns.links[reference &- 1], bytes)
    }
    model.noteEntry(hit, &state, probe: probe, stackPointer: stackPointer)
    return stackPointer
  }

  /// Returns the stack pointer.
  @inline(__always)
  private mutating func decodeReturn(
    _ hit: Int, _ shape: UInt8, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) -> UInt64 {
    let entry = model.calls.pop(&state)
    var expected = columns.expectedReturn(from: entry, state, model.convention)
    if shape & Shape.probe != 0 { expected.probe = try decodeProbe(bytes) }
    if shape & Shape.stackPointer != 0 {
      expected.stackPointer = try stackPointers.miss(bytes, expected.stackPointer)
    }
    if shape & Shape.instructionPointer != 0 {
      expected.address = try instructionPointers.miss(bytes, expected.address)
    }
    if shape & Shape.function != 0 {
      expected.function = try functions.miss(bytes, expected.function)
    }
    store(hit, expected.probe, expected.stackPointer, expected.address, expected.function)
    if model.convention.hasLink {
      state.linkAtReturn = try decodeLink(hit, state.linkAtReturn, bytes)
    }
    model.noteReturn(&state, stackPointer: expected.stackPointer)
    return expected.stackPointer
  }

  @inline(__always)
  private func store(
    _ hit: Int, _ probe: UInt32, _ stackPointer: UInt64, _ address: UInt64, _ function: UInt64
  ) {
    // The index is below the number of hits, as `decode` says.
    unsafe columns.probes[unchecked: hit] = probe
    unsafe columns.stackPointers[unchecked: hit] = stackPointer
    unsafe columns.instructionPointers[unchecked: hit] = address
    unsafe columns.functions[unchecked: hit] = function
  }

  @inline(__always)
  private mutating func decodeProbe(_ bytes: Span<UInt8>) throws(TapeDamage.Reason) -> UInt32 {
    let value = try probes.varint(bytes)
    guard value < probeCount else { throw .valueOutOfRange }
    return UInt32(truncatingIfNeeded: value)
  }

  @inline(never)
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
    _ hit: Int, _ stackPointer: UInt64, _ length: Int, _ references: WordReferences,
    _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) {
    let start = wordsEnd
    guard length <= columns.words.count &- start else { throw .overLimit }
    var slot = JudgedModel.wordSlot(stackPointer, thread)
    var first = 0
    while first < length {
      let count = min(8, length &- first)
      let mask = try masks.byte(bytes)
      if count == 8 && slot <= ModelMemory.wordSlots - 8 {
        // Eight slots and eight words are left, as the conditions above say.
        unsafe model.words.copyEight(from: slot, to: columns.words, at: start &+ first)
        if mask != 0 { try decodeEight(first, mask, start, slot, references, bytes) }
      } else {
        guard count == 8 || mask >> UInt8(count) == 0 else { throw .valueOutOfRange }
        try decodeSome(first..<first + count, mask, start, slot, references, bytes)
      }
      slot = (slot &+ count) & (ModelMemory.wordSlots - 1)
      first &+= count
    }
    wordsEnd = start &+ length
    // There is one more start than hits.
    unsafe columns.starts[unchecked: hit &+ 1] = UInt32(truncatingIfNeeded: wordsEnd)
  }

  /// Decodes the mask's words of eight whose slots follow each other and that are already copied.
  @inline(__always)
  private mutating func decodeEight(
    _ first: Int, _ mask: UInt8, _ start: Int, _ slot: Int, _ references: WordReferences,
    _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) {
    var rest = mask
    while rest != 0 {
      let place = rest.trailingZeroBitCount
      rest &= rest &- 1
      let word = try decodeWord(first &+ place, references, bytes)
      // The caller has copied eight words between these very places.
      unsafe model.words[unchecked: slot &+ place] = word
      unsafe columns.words[unchecked: start &+ first &+ place] = word
    }
  }

  /// Decodes fewer than eight words, or eight whose slots go round about.
  @inline(never)
  private mutating func decodeSome(
    _ places: Range<Int>, _ mask: UInt8, _ start: Int, _ firstSlot: Int,
    _ references: WordReferences,
    _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) {
    var rest = mask
    var slot = firstSlot
    for place in places {
      if rest & 1 != 0 { model.words[slot] = try decodeWord(place, references, bytes) }
      rest >>= 1
      columns.words[start + place] = model.words[slot]
      slot = (slot + 1) & (ModelMemory.wordSlots - 1)
    }
  }

  @inline(__always)
  private mutating func decodeWord(
    _ place: Int, _ references: WordReferences, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) -> UInt64 {
    let code = try codes.byte(bytes)
    if code == WordReferences.expectedCode {
      return columns.word(place, of: references.expected)
    }
    if code == WordReferences.sameProbeCode {
      return columns.word(place, of: references.sameProbe)
    }
    return try far.decode(code, bytes, &farCursors)
  }

  func finish(words: Int) throws(TapeDamage.Reason) {
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

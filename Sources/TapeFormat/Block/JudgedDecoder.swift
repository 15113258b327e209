import ProbeEvents

/// Streams -> judged columns, hit by hit. The twin of ``JudgedEncoder``; keep them side by side.
/// ``JudgedGroup`` drives it.
struct JudgedDecoder {
  private typealias Stream = Streams.Judged

  private let columns: ColumnTables
  private let model: JudgedModel
  private let threadCount: UInt64
  private let probeCount: UInt64
  private var windows: WindowDecoder
  /// The thread of the hit before, by its index in the block's table.
  private var thread = 0
  private var threads: Cursor
  private var probes: Cursor
  private var stackPointers: Cursor
  private var instructionPointers: Cursor
  private var functions: Cursor
  private var flags: Cursor
  private var lengths: Cursor
  private var links: Cursor
  private var linkValues: Cursor

  init(
    _ cursors: [Cursor], _ columns: ColumnTables, _ model: JudgedModel, _ marks: SlotMarks,
    threadCount: Int, probeCount: Int
  ) {
    self.columns = columns
    self.model = model
    self.threadCount = UInt64(threadCount)
    self.probeCount = UInt64(probeCount)
    windows = WindowDecoder(cursors, columns, slots: model.words, marks)
    threads = cursors[Stream.threads.rawValue]
    probes = cursors[Stream.probes.rawValue]
    stackPointers = cursors[Stream.stackPointers.rawValue]
    instructionPointers = cursors[Stream.instructionPointers.rawValue]
    functions = cursors[Stream.functions.rawValue]
    flags = cursors[Stream.flags.rawValue]
    lengths = cursors[Stream.lengths.rawValue]
    links = cursors[Stream.links.rawValue]
    linkValues = cursors[Stream.linkValues.rawValue]
  }

  /// Decodes all hits, of which all columns have the number. What is known of the thread that has
  /// hits is kept at hand, and is in the model's table only while another thread has them.
  mutating func decode(
    hits: Int, _ shapes: Cursor, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) {
    precondition(shapes.remaining >= hits)
    var state = ThreadState()
    for hit in 0..<hits {
      // There are as many shapes, and `Streams.split` has made sure that they are in the content.
      try decode(hit, &state, unsafe bytes[unchecked: shapes.offset &+ hit], bytes)
    }
  }

  /// Decodes a hit, whose index must be below the number of hits.
  @inline(__always)
  private mutating func decode(
    _ hit: Int, _ state: inout ThreadState, _ shape: UInt8, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) {
    if shape & Shape.thread != 0 {
      state = try decodeThread(leaving: state, bytes)
    }
    if shape & (Shape.flags | Shape.length) != 0 {
      state = try decodeRare(shape, state, bytes)
    }
    let kind: HitKind = shape & Shape.isReturn == 0 ? .entry : .return
    // The index is below the number of hits.
    unsafe columns.threads[unchecked: hit] = UInt32(truncatingIfNeeded: thread)
    unsafe columns.flags[unchecked: hit] = state.flags
    unsafe columns.kinds[unchecked: hit] = kind
    switch kind {
    case .entry: try decodeEntry(hit, &state, shape, bytes)
    case .return: try decodeReturn(hit, &state, shape, bytes)
    }
  }

  @inline(never)
  private mutating func decodeThread(
    leaving state: ThreadState, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) -> ThreadState {
    let value = try threads.varint(bytes)
    guard value < threadCount else { throw .valueOutOfRange }
    model.threads[thread] = state
    thread = Int(truncatingIfNeeded: value)
    return model.threads[thread]
  }

  @inline(never)
  private mutating func decodeRare(
    _ shape: UInt8, _ known: ThreadState, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) -> ThreadState {
    var state = known
    if shape & Shape.flags != 0 {
      state.flags = HitFlags(rawValue: try flags.byte(bytes))
    }
    if shape & Shape.length != 0 {
      let value = try lengths.varint(bytes)
      guard value <= UInt64(TapeLimits.wordsPerWindow) else { throw .overLimit }
      state.windowLength = UInt32(truncatingIfNeeded: value)
    }
    return state
  }

  @inline(__always)
  private mutating func decodeEntry(
    _ hit: Int, _ state: inout ThreadState, _ shape: UInt8, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) {
    let reference = model.expectedEntry(state)
    // References are earlier hits of this block, here and below, since all tables start empty.
    let probe =
      if shape & Shape.probe != 0 { try decodeProbe(bytes) } else {
        unsafe reference == 0 ? 0 : columns.probes[unchecked: reference &- 1]
      }
    var stackPointer = model.expectedStackPointer(reference, state)
    if shape & Shape.stackPointer != 0 {
      stackPointer = try stackPointers.miss(bytes, stackPointer)
    }
    let sameProbe = model.lastEntry(of: probe)
    var address =
      unsafe sameProbe == 0 ? 0 : columns.instructionPointers[unchecked: sameProbe &- 1]
    var function = address
    if shape & (Shape.instructionPointer | Shape.function) != 0 {
      (address, function) = try decodeAddresses(shape, address, nil, bytes)
    }
    store(hit, probe, stackPointer, address, function)
    var site = address
    if model.convention.hasLink {
      site = try decodeLink(hit, reference == 0 ? 0 : columns.links[reference &- 1], bytes)
    }
    model.noteEntry(hit, &state, probe: probe, stackPointer: stackPointer)
    let word = try windows.decode(
      hit, Int(state.windowLength), slot: JudgedModel.wordSlot(stackPointer, thread),
      WordReferences(expected: reference, sameProbe: sameProbe), bytes)
    if !model.convention.hasLink {
      let isThere = state.windowLength != 0
      // The index is below the number of hits, for which there is memory.
      unsafe model.firstWords[unchecked: hit] = isThere ? word : 0
      if isThere { site = model.convention.returnAddress(word: word, state.flags) }
    }
    model.finish(&state, kind: .entry, site: site, stackPointer: stackPointer)
  }

  @inline(__always)
  private mutating func decodeReturn(
    _ hit: Int, _ state: inout ThreadState, _ shape: UInt8, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) {
    let entry = model.calls.pop(&state)
    var expected = expectedReturn(from: entry, state)
    if shape & Shape.probe != 0 { expected.probe = try decodeProbe(bytes) }
    if shape & Shape.stackPointer != 0 {
      expected.stackPointer = try stackPointers.miss(bytes, expected.stackPointer)
    }
    if shape & (Shape.instructionPointer | Shape.function) != 0 {
      (expected.address, expected.function) = try decodeAddresses(
        shape, expected.address, expected.function, bytes)
    }
    store(hit, expected.probe, expected.stackPointer, expected.address, expected.function)
    if model.convention.hasLink {
      state.linkAtReturn = try decodeLink(hit, state.linkAtReturn, bytes)
    }
    model.noteReturn(&state, stackPointer: expected.stackPointer)
    _ = try windows.decode(
      hit, Int(state.windowLength),
      slot: JudgedModel.wordSlot(expected.stackPointer, thread), WordReferences(), bytes)
    model.finish(
      &state, kind: .return, site: expected.address, stackPointer: expected.stackPointer)
  }

  /// Decodes the addresses of a hit of which at least one is not as expected; without an expected
  /// function, it is the instruction pointer.
  @inline(never)
  private mutating func decodeAddresses(
    _ shape: UInt8, _ expected: UInt64, _ expectedFunction: UInt64?, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) -> (address: UInt64, function: UInt64) {
    var address = expected
    if shape & Shape.instructionPointer != 0 {
      address = try instructionPointers.miss(bytes, address)
    }
    var function = expectedFunction ?? address
    if shape & Shape.function != 0 { function = try functions.miss(bytes, function) }
    return (address, function)
  }

  /// What a return looks like that answers an entry, named by its index plus one: as
  /// ``ColumnTables/expectedReturn(from:_:_:)`` says, but the first word of the entry's window comes
  /// from where it can be had at once.
  @inline(__always)
  private func expectedReturn(
    from entry: Int, _ state: ThreadState
  ) -> (probe: UInt32, stackPointer: UInt64, address: UInt64, function: UInt64) {
    guard entry != 0 else { return (0, state.stackPointer, 0, 0) }
    let index = entry &- 1
    let convention = model.convention
    // An open call is a hit of this block, for which there is memory.
    let address =
      unsafe convention.hasLink
      ? columns.links[unchecked: index]
      : convention.returnAddress(word: model.firstWords[unchecked: index], state.flags)
    let probe = unsafe columns.probes[unchecked: index]
    let stackPointer = unsafe columns.stackPointers[unchecked: index]
    let function = unsafe columns.functions[unchecked: index]
    return (probe, stackPointer &+ convention.returnStep(state.flags), address, function)
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

  func finish(words: Int) throws(TapeDamage.Reason) {
    for cursor in [
      threads, probes, stackPointers, instructionPointers, functions, flags, lengths, links,
      linkValues,
    ] {
      try cursor.finish()
    }
    try windows.finish(words: words)
  }
}

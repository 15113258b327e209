import ProbeEvents

/// Streams -> judged columns. The twin of ``JudgedEncoder``; keep them side by side.
struct JudgedDecoder {
  private typealias Stream = Streams.Judged

  private var columns = HitColumns()
  private var model: JudgedModel
  private var far = FarValues()
  private let probeCount: UInt32
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

  /// Decodes a judged group into columns, which are empty before and incomplete when it throws.
  /// Returns how many unknown side events were skipped.
  static func decode(
    _ content: [UInt8], hits: Int, probeCount: Int, convention: CallConvention,
    into columns: inout HitColumns
  ) throws(TapeDamage.Reason) -> Int {
    let cursors = try Streams.split(content, count: Stream.allCases.count)
    let shapes = cursors[Stream.shapes.rawValue]
    guard shapes.remaining == hits else { throw .streamTooShort }
    let table = cursors[Stream.threadTable.rawValue]
    var fields = FieldReader(content, table.offset..<table.end)
    while !fields.isAtEnd {
      guard columns.threadTable.count < TapeLimits.threadsPerBlock else { throw .overLimit }
      columns.threadTable.append(try SideEventCodec.thread(&fields))
    }
    // Without a thread or probe there is nothing that a hit's predictions can be.
    guard hits == 0 || (!columns.threadTable.isEmpty && probeCount > 0) else {
      throw .valueOutOfRange
    }
    var decoder = JudgedDecoder(
      cursors, convention, threads: columns.threadTable.count, hits: hits, probeCount: probeCount)
    swap(&decoder.columns, &columns)
    defer { swap(&decoder.columns, &columns) }
    decoder.reserve(hits)
    let bytes = content.span
    for hit in 0..<hits {
      try decoder.decode(hit, shape: bytes[shapes.offset + hit], bytes)
    }
    try decoder.finish()
    let events = cursors[Stream.sideEvents.rawValue]
    var reader = FieldReader(content, events.offset..<events.end)
    return try SideEventCodec.decode(&reader, hits: hits, into: &decoder.columns.sideEvents)
  }

  private init(
    _ cursors: [Cursor], _ convention: CallConvention, threads threadCount: Int, hits: Int,
    probeCount: Int
  ) {
    model = JudgedModel(convention: convention, threads: threadCount, hits: hits)
    self.probeCount = UInt32(probeCount)
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

  private mutating func reserve(_ hits: Int) {
    columns.kinds.reserveCapacity(hits)
    columns.flags.reserveCapacity(hits)
    columns.probes.reserveCapacity(hits)
    columns.threads.reserveCapacity(hits)
    columns.instructionPointers.reserveCapacity(hits)
    columns.stackPointers.reserveCapacity(hits)
    columns.functions.reserveCapacity(hits)
    columns.windowStarts.reserveCapacity(hits + 1)
    if model.convention.hasLink { columns.linkRegisters.reserveCapacity(hits) }
  }

  @inline(__always)
  private mutating func decode(
    _ hit: Int, shape: UInt8, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) {
    var index: UInt32 = hit == 0 ? 0 : columns.threads[hit - 1]
    if shape & Shape.thread != 0 {
      let value = try threads.varint(bytes)
      guard value < UInt64(columns.threadTable.count) else { throw .valueOutOfRange }
      index = UInt32(truncatingIfNeeded: value)
    }
    let thread = Int(index)
    columns.threads.append(index)
    if shape & Shape.flags != 0 {
      model.threads[thread].flags = HitFlags(rawValue: try flags.byte(bytes))
    }
    let hitFlags = model.threads[thread].flags
    columns.flags.append(hitFlags)
    if shape & Shape.length != 0 {
      let value = try lengths.varint(bytes)
      guard value <= UInt64(TapeLimits.wordsPerWindow) else { throw .overLimit }
      model.threads[thread].windowLength = Int(value)
    }
    let reference: Int
    let kind: HitKind
    if shape & Shape.isReturn == 0 {
      kind = .entry
      columns.kinds.append(kind)
      reference = try decodeEntry(hit, thread, shape, bytes)
    } else {
      kind = .return
      columns.kinds.append(kind)
      reference = try decodeReturn(hit, thread, hitFlags, shape, bytes)
    }
    try decodeWindow(hit, thread, model.threads[thread].windowLength, reference, bytes)
    model.finish(
      hit, thread, kind: kind, site: columns.site(of: hit, model.convention),
      stackPointer: columns.stackPointers[hit])
  }

  @inline(__always)
  private mutating func decodeEntry(
    _ hit: Int, _ thread: Int, _ shape: UInt8, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) -> Int {
    let reference = model.expectedEntry(thread)
    let probe = try decodeProbe(shape, reference == 0 ? 0 : columns.probes[reference - 1], bytes)
    var stackPointer = model.expectedStackPointer(reference, thread)
    if shape & Shape.stackPointer != 0 {
      stackPointer = try stackPointers.miss(bytes, stackPointer)
    }
    columns.stackPointers.append(stackPointer)
    var address = model.expectedEntryAddress(probe)
    if shape & Shape.instructionPointer != 0 {
      address = try instructionPointers.miss(bytes, address)
    }
    columns.instructionPointers.append(address)
    columns.functions.append(
      shape & Shape.function == 0 ? address : try functions.miss(bytes, address))
    if model.convention.hasLink {
      _ = try decodeLink(reference == 0 ? 0 : columns.linkRegisters[reference - 1], bytes)
    }
    model.noteEntry(
      hit, thread, probe: probe, instructionPointer: address,
      stackPointer: stackPointer)
    return reference
  }

  @inline(__always)
  private mutating func decodeReturn(
    _ hit: Int, _ thread: Int, _ flags: HitFlags, _ shape: UInt8, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) -> Int {
    let entry = model.calls.pop(thread)
    var expected = columns.expectedReturn(
      from: entry, flags, model.convention, stackPointer: model.threads[thread].stackPointer)
    _ = try decodeProbe(shape, expected.probe, bytes)
    if shape & Shape.stackPointer != 0 {
      expected.stackPointer = try stackPointers.miss(bytes, expected.stackPointer)
    }
    columns.stackPointers.append(expected.stackPointer)
    if shape & Shape.instructionPointer != 0 {
      expected.address = try instructionPointers.miss(bytes, expected.address)
    }
    columns.instructionPointers.append(expected.address)
    columns.functions.append(
      shape & Shape.function == 0
        ? expected.function : try functions.miss(bytes, expected.function))
    if model.convention.hasLink {
      model.threads[thread].linkAtReturn =
        try decodeLink(model.threads[thread].linkAtReturn, bytes)
    }
    model.noteReturn(thread, flags: flags, stackPointer: expected.stackPointer)
    return model.lastReturn(to: expected.address)
  }

  @inline(__always)
  private mutating func decodeProbe(
    _ shape: UInt8, _ prediction: UInt32, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) -> UInt32 {
    var probe = prediction
    if shape & Shape.probe != 0 {
      let value = try probes.varint(bytes)
      guard value < UInt64(probeCount) else { throw .valueOutOfRange }
      probe = UInt32(truncatingIfNeeded: value)
    }
    columns.probes.append(probe)
    return probe
  }

  private mutating func decodeLink(
    _ prediction: UInt64, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) -> UInt64 {
    let value: UInt64
    switch try links.byte(bytes) {
    case 0: value = prediction
    case 1: value = try linkValues.miss(bytes, prediction)
    default: throw .valueOutOfRange
    }
    columns.linkRegisters.append(value)
    return value
  }

  @inline(__always)
  private mutating func decodeWindow(
    _ hit: Int, _ thread: Int, _ length: Int, _ reference: Int, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) {
    let end = columns.windowWords.count + length
    guard end <= TapeLimits.wordsPerBlock else { throw .overLimit }
    var slot = JudgedModel.memorySlot(columns.stackPointers[hit], thread)
    var first = 0
    while first < length {
      let count = min(8, length - first)
      let mask = try masks.byte(bytes)
      if mask == 0 && slot + count <= JudgedModel.memorySlots {
        columns.windowWords.append(contentsOf: model.memory[slot..<slot + count])
        slot = (slot + count) & (JudgedModel.memorySlots - 1)
      } else {
        guard count == 8 || mask >> UInt8(count) == 0 else { throw .valueOutOfRange }
        for place in 0..<count {
          if mask >> UInt8(place) & 1 != 0 {
            model.memory[slot] = try decodeWord(first + place, reference, bytes)
          }
          columns.windowWords.append(model.memory[slot])
          slot = (slot + 1) & (JudgedModel.memorySlots - 1)
        }
      }
      first += count
    }
    columns.windowStarts.append(UInt32(truncatingIfNeeded: end))
  }

  private mutating func decodeWord(
    _ place: Int, _ reference: Int, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) -> UInt64 {
    let code = try codes.byte(bytes)
    if code == 0 { return columns.word(place, of: reference) }
    return try far.decode(code, bytes, &farCursors)
  }

  private func finish() throws(TapeDamage.Reason) {
    for cursor in [
      threads, probes, stackPointers, instructionPointers, functions, flags, lengths, links,
      linkValues, masks, codes,
    ] {
      try cursor.finish()
    }
    try farCursors.finish()
  }
}

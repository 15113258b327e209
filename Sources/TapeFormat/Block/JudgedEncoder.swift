import ProbeEvents

/// Judged columns -> streams. The twin of ``JudgedDecoder``; keep them side by side.
struct JudgedEncoder {
  private typealias Stream = Streams.Judged

  private var buffers = StreamBuffers(count: Streams.Judged.allCases.count)
  private var far = FarValues()
  private var farBuffers = FarValues.Buffers()
  private var model: JudgedModel
  private let columns: HitColumns

  /// Encodes a block's judged columns and its side events, which are already bytes.
  static func encode(
    _ columns: HitColumns, sideEvents: [UInt8], convention: CallConvention
  ) -> StreamBuffers {
    var encoder = JudgedEncoder(columns, convention)
    for thread in columns.threadTable {
      SideEventCodec.encode(thread, into: &encoder.buffers.streams[Stream.threadTable.rawValue])
    }
    encoder.buffers.streams[Stream.sideEvents.rawValue] = sideEvents
    for hit in 0..<columns.count { encoder.encode(hit) }
    encoder.buffers.streams[Stream.regions.rawValue] = encoder.farBuffers.regions
    encoder.buffers.streams[Stream.lowBytes.rawValue] = encoder.farBuffers.low
    encoder.buffers.streams[Stream.highBytes.rawValue] = encoder.farBuffers.high
    return encoder.buffers
  }

  private init(_ columns: HitColumns, _ convention: CallConvention) {
    self.columns = columns
    model = JudgedModel(
      convention: convention, threads: columns.threadTable.count, hits: columns.count)
  }

  private mutating func encode(_ hit: Int) {
    var shape = columns.kinds[hit].rawValue
    let thread = Int(columns.threads[hit])
    if columns.threads[hit] != (hit == 0 ? 0 : columns.threads[hit - 1]) {
      shape |= Shape.thread
      append(.threads, UInt64(thread))
    }
    let flags = columns.flags[hit]
    if flags != model.threads[thread].flags {
      shape |= Shape.flags
      buffers.streams[Stream.flags.rawValue].append(flags.rawValue)
      model.threads[thread].flags = flags
    }
    let length = Int(columns.windowStarts[hit + 1] - columns.windowStarts[hit])
    if length != model.threads[thread].windowLength {
      shape |= Shape.length
      append(.lengths, UInt64(length))
      model.threads[thread].windowLength = length
    }
    let reference: Int
    switch columns.kinds[hit] {
    case .entry: reference = encodeEntry(hit, thread, &shape)
    case .return: reference = encodeReturn(hit, thread, flags, &shape)
    }
    buffers.streams[Stream.shapes.rawValue].append(shape)
    encodeWindow(hit, thread, length, reference)
    model.finish(
      hit, thread, kind: columns.kinds[hit],
      site: columns.site(of: hit, model.convention), stackPointer: columns.stackPointers[hit])
  }

  private mutating func encodeEntry(_ hit: Int, _ thread: Int, _ shape: inout UInt8) -> Int {
    let reference = model.expectedEntry(thread)
    let probe = columns.probes[hit]
    let known = reference == 0 ? 0 : columns.probes[reference - 1]
    if probe != known {
      shape |= Shape.probe
      append(.probes, UInt64(probe))
    }
    miss(
      .stackPointers, Shape.stackPointer, columns.stackPointers[hit],
      model.expectedStackPointer(reference, thread), &shape)
    let address = columns.instructionPointers[hit]
    miss(
      .instructionPointers, Shape.instructionPointer, address, model.expectedEntryAddress(probe),
      &shape)
    miss(.functions, Shape.function, columns.functions[hit], address, &shape)
    if model.convention.hasLink {
      link(hit, reference == 0 ? 0 : columns.linkRegisters[reference - 1])
    }
    model.noteEntry(
      hit, thread, probe: probe, instructionPointer: address,
      stackPointer: columns.stackPointers[hit])
    return reference
  }

  private mutating func encodeReturn(
    _ hit: Int, _ thread: Int, _ flags: HitFlags, _ shape: inout UInt8
  ) -> Int {
    let entry = model.calls.pop(thread)
    let expected = columns.expectedReturn(
      from: entry, flags, model.convention, stackPointer: model.threads[thread].stackPointer)
    if columns.probes[hit] != expected.probe {
      shape |= Shape.probe
      append(.probes, UInt64(columns.probes[hit]))
    }
    miss(
      .stackPointers, Shape.stackPointer, columns.stackPointers[hit], expected.stackPointer,
      &shape)
    let address = columns.instructionPointers[hit]
    miss(
      .instructionPointers, Shape.instructionPointer, address, expected.address, &shape)
    miss(.functions, Shape.function, columns.functions[hit], expected.function, &shape)
    if model.convention.hasLink {
      link(hit, model.threads[thread].linkAtReturn)
      model.threads[thread].linkAtReturn = columns.linkRegisters[hit]
    }
    model.noteReturn(thread, flags: flags, stackPointer: columns.stackPointers[hit])
    return model.lastReturn(to: address)
  }

  private mutating func encodeWindow(
    _ hit: Int, _ thread: Int, _ length: Int, _ reference: Int
  ) {
    let start = Int(columns.windowStarts[hit])
    var slot = JudgedModel.memorySlot(columns.stackPointers[hit], thread)
    for first in stride(from: 0, to: length, by: 8) {
      var mask: UInt8 = 0
      for place in first..<min(first + 8, length) {
        let word = columns.windowWords[start + place]
        if model.memory[slot] != word {
          mask |= 1 << UInt8(place - first)
          model.memory[slot] = word
          code(word, reference, place)
        }
        slot = (slot + 1) & (JudgedModel.memorySlots - 1)
      }
      buffers.streams[Stream.masks.rawValue].append(mask)
    }
  }

  private mutating func code(_ word: UInt64, _ reference: Int, _ place: Int) {
    if columns.word(place, of: reference) == word {
      buffers.streams[Stream.codes.rawValue].append(0)
      return
    }
    buffers.streams[Stream.codes.rawValue].append(far.encode(word, into: &farBuffers))
  }

  private mutating func append(_ stream: Streams.Judged, _ value: UInt64) {
    buffers.streams[stream.rawValue].appendVarint(value)
  }

  /// Appends a value where it is not as predicted, and notes so in the shape.
  private mutating func miss(
    _ stream: Streams.Judged, _ bit: UInt8, _ value: UInt64, _ prediction: UInt64,
    _ shape: inout UInt8
  ) {
    guard value != prediction else { return }
    shape |= bit
    append(stream, Zigzag.encode(value &- prediction))
  }

  private mutating func link(_ hit: Int, _ prediction: UInt64) {
    let value = columns.linkRegisters[hit]
    buffers.streams[Stream.links.rawValue].append(value == prediction ? 0 : 1)
    if value != prediction { append(.linkValues, Zigzag.encode(value &- prediction)) }
  }
}

extension HitColumns {
  /// Where a hit's call returns to, as far as the columns tell.
  func site(of hit: Int, _ convention: CallConvention) -> UInt64 {
    switch kinds[hit] {
    case .return: return instructionPointers[hit]
    case .entry: break
    }
    if convention.hasLink { return linkRegisters[hit] }
    let start = windowStarts[hit]
    guard windowStarts[hit + 1] > start else { return instructionPointers[hit] }
    return convention.returnAddress(word: windowWords[Int(start)], flags[hit])
  }

  /// A word of the window of a hit, named by its index plus one; 0 where there is none.
  func word(_ place: Int, of reference: Int) -> UInt64 {
    guard reference != 0 else { return 0 }
    let at = Int(windowStarts[reference - 1]) + place
    return at < Int(windowStarts[reference]) ? windowWords[at] : 0
  }

  /// What a return looks like that answers an entry, named by its index plus one.
  func expectedReturn(
    from entry: Int, _ flags: HitFlags, _ convention: CallConvention, stackPointer: UInt64
  ) -> (probe: UInt32, stackPointer: UInt64, address: UInt64, function: UInt64) {
    guard entry != 0 else { return (0, stackPointer, 0, 0) }
    let index = entry - 1
    let address =
      convention.hasLink
      ? linkRegisters[index]
      : convention.returnAddress(word: word(0, of: entry), flags)
    return (
      probes[index], stackPointers[index] &+ convention.returnStep(flags), address,
      functions[index]
    )
  }
}

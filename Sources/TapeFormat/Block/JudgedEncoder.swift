import ProbeEvents

/// Judged columns -> streams. The twin of ``JudgedDecoder``; keep them side by side.
struct JudgedEncoder {
  private typealias Stream = Streams.Judged

  private var buffers = StreamBuffers(count: Streams.Judged.allCases.count)
  private var far = FarValues()
  private var farBuffers = FarValues.Buffers()
  private let model: JudgedModel
  private let columns: ColumnTables

  /// Encodes a block's judged columns and its side events, which are already bytes.
  static func encode(
    _ columns: inout HitColumns, sideEvents: [UInt8], convention: CallConvention,
    memory: ModelMemory
  ) -> StreamBuffers {
    let hits = columns.count
    let table = columns.threadTable
    return columns.withTables { tables in
      let model = JudgedModel(
        memory, convention, threads: table.count, hits: hits,
        stackPointers: tables.stackPointers)
      var encoder = JudgedEncoder(model: model, columns: tables)
      for thread in table {
        SideEventCodec.encode(thread, into: &encoder.buffers.streams[Stream.threadTable.rawValue])
      }
      encoder.buffers.streams[Stream.sideEvents.rawValue] = sideEvents
      encoder.append(.wordCount, UInt64(tables.words.count))
      for hit in 0..<hits { encoder.encode(hit) }
      return encoder.finished()
    }
  }

  private init(model: JudgedModel, columns: ColumnTables) {
    self.model = model
    self.columns = columns
  }

  private consuming func finished() -> StreamBuffers {
    buffers.streams[Stream.regions.rawValue] = farBuffers.regions
    buffers.streams[Stream.lowBytes.rawValue] = farBuffers.low
    buffers.streams[Stream.highBytes.rawValue] = farBuffers.high
    return buffers
  }

  private mutating func encode(_ hit: Int) {
    var shape = columns.kinds[hit].rawValue
    let thread = Int(columns.threads[hit])
    if columns.threads[hit] != (hit == 0 ? 0 : columns.threads[hit - 1]) {
      shape |= Shape.thread
      append(.threads, UInt64(thread))
    }
    var state = model.threads[thread]
    let flags = columns.flags[hit]
    if flags != state.flags {
      shape |= Shape.flags
      buffers.streams[Stream.flags.rawValue].append(flags.rawValue)
      state.flags = flags
    }
    let length = columns.starts[hit + 1] - columns.starts[hit]
    if length != state.windowLength {
      shape |= Shape.length
      append(.lengths, UInt64(length))
      state.windowLength = length
    }
    var references = WordReferences()
    let kind = columns.kinds[hit]
    switch kind {
    case .entry: references = encodeEntry(hit, &state, &shape)
    case .return: encodeReturn(hit, &state, &shape)
    }
    buffers.streams[Stream.shapes.rawValue].append(shape)
    encodeWindow(hit, thread, Int(length), references)
    model.finish(
      &state, kind: kind, site: columns.site(of: hit, kind, model.convention),
      stackPointer: columns.stackPointers[hit])
    model.threads[thread] = state
  }

  /// Returns the entries that this one was predicted from.
  private mutating func encodeEntry(
    _ hit: Int, _ state: inout ThreadState, _ shape: inout UInt8
  ) -> WordReferences {
    let reference = model.expectedEntry(state)
    let probe = columns.probes[hit]
    if probe != (reference == 0 ? 0 : columns.probes[reference - 1]) {
      shape |= Shape.probe
      append(.probes, UInt64(probe))
    }
    let stackPointer = columns.stackPointers[hit]
    miss(
      .stackPointers, Shape.stackPointer, stackPointer,
      model.expectedStackPointer(reference, state), &shape)
    let address = columns.instructionPointers[hit]
    let sameProbe = model.lastEntry(of: probe)
    miss(
      .instructionPointers, Shape.instructionPointer, address,
      sameProbe == 0 ? 0 : columns.instructionPointers[sameProbe - 1], &shape)
    miss(.functions, Shape.function, columns.functions[hit], address, &shape)
    if model.convention.hasLink {
      link(hit, reference == 0 ? 0 : columns.links[reference - 1])
    }
    model.noteEntry(hit, &state, probe: probe, stackPointer: stackPointer)
    return WordReferences(expected: reference, sameProbe: sameProbe)
  }

  private mutating func encodeReturn(
    _ hit: Int, _ state: inout ThreadState, _ shape: inout UInt8
  ) {
    let entry = model.calls.pop(&state)
    let expected = columns.expectedReturn(from: entry, state, model.convention)
    if columns.probes[hit] != expected.probe {
      shape |= Shape.probe
      append(.probes, UInt64(columns.probes[hit]))
    }
    miss(
      .stackPointers, Shape.stackPointer, columns.stackPointers[hit], expected.stackPointer,
      &shape)
    miss(
      .instructionPointers, Shape.instructionPointer, columns.instructionPointers[hit],
      expected.address, &shape)
    miss(.functions, Shape.function, columns.functions[hit], expected.function, &shape)
    if model.convention.hasLink {
      link(hit, state.linkAtReturn)
      state.linkAtReturn = columns.links[hit]
    }
    model.noteReturn(&state, stackPointer: columns.stackPointers[hit])
  }

  private mutating func encodeWindow(
    _ hit: Int, _ thread: Int, _ length: Int, _ references: WordReferences
  ) {
    let start = Int(columns.starts[hit])
    var slot = JudgedModel.wordSlot(columns.stackPointers[hit], thread)
    for first in stride(from: 0, to: length, by: 8) {
      var mask: UInt8 = 0
      for place in first..<min(first + 8, length) {
        let word = columns.words[start + place]
        if model.words[slot] != word {
          mask |= 1 << UInt8(place - first)
          model.words[slot] = word
          code(word, references, place)
        }
        slot = (slot + 1) & (ModelMemory.wordSlots - 1)
      }
      buffers.streams[Stream.masks.rawValue].append(mask)
    }
  }

  private mutating func code(_ word: UInt64, _ references: WordReferences, _ place: Int) {
    let code =
      if columns.word(place, of: references.expected) == word {
        WordReferences.expectedCode
      } else if columns.word(place, of: references.sameProbe) == word {
        WordReferences.sameProbeCode
      } else {
        far.encode(word, into: &farBuffers)
      }
    buffers.streams[Stream.codes.rawValue].append(code)
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
    let value = columns.links[hit]
    buffers.streams[Stream.links.rawValue].append(value == prediction ? 0 : 1)
    if value != prediction { append(.linkValues, Zigzag.encode(value &- prediction)) }
  }
}

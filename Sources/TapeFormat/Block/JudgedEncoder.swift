import ProbeEvents

/// Judged columns -> streams. The twin of ``JudgedDecoder``; keep them side by side.
struct JudgedEncoder: ~Copyable {
  private typealias Stream = Streams.Judged

  private var shapes = ByteSink()
  private var threads = ByteSink()
  private var probes = ByteSink()
  private var stackPointers = ByteSink()
  private var instructionPointers = ByteSink()
  private var functions = ByteSink()
  private var flags = ByteSink()
  private var lengths = ByteSink()
  private var links = ByteSink()
  private var linkValues = ByteSink()
  private var masks = ByteSink()
  private var codes = ByteSink()
  private var far = FarEncoder()
  private let model: JudgedModel
  private let columns: ColumnTables

  /// Encodes a block's judged columns and its side events, which are already bytes.
  static func encode(
    _ block: BlockBuffer, convention: CallConvention, memory: ModelMemory
  ) -> StreamBuffers {
    let columns = block.columns.judged
    let table = block.threadTable
    let model = JudgedModel(
      memory, convention, threads: table.count, hits: block.count,
      stackPointers: columns.stackPointers)
    var encoder = JudgedEncoder(model: model, columns: columns)
    for hit in 0..<block.count { encoder.encode(hit) }
    var buffers = encoder.finished()
    for thread in table {
      SideEventCodec.encode(thread, into: &buffers.streams[Stream.threadTable.rawValue])
    }
    buffers.streams[Stream.wordCount.rawValue].appendVarint(UInt64(block.wordCount))
    buffers.streams[Stream.sideEvents.rawValue] = block.sideEvents.bytes
    return buffers
  }

  private init(model: JudgedModel, columns: ColumnTables) {
    self.model = model
    self.columns = columns
  }

  /// The streams of the hits; the others are empty.
  private consuming func finished() -> StreamBuffers {
    var buffers = StreamBuffers(count: Stream.allCases.count)
    let farStreams = far.streams
    for stream in Stream.allCases {
      buffers.streams[stream.rawValue] =
        switch stream {
        case .threadTable, .wordCount, .sideEvents: []
        case .shapes: shapes.bytes
        case .threads: threads.bytes
        case .probes: probes.bytes
        case .stackPointers: stackPointers.bytes
        case .instructionPointers: instructionPointers.bytes
        case .functions: functions.bytes
        case .flags: flags.bytes
        case .lengths: lengths.bytes
        case .links: links.bytes
        case .linkValues: linkValues.bytes
        case .masks: masks.bytes
        case .codes: codes.bytes
        case .regions: farStreams.regions
        case .lowBytes: farStreams.low
        case .highBytes: farStreams.high
        }
    }
    return buffers
  }

  private mutating func encode(_ hit: Int) {
    var shape = columns.kinds[hit].rawValue
    let thread = Int(columns.threads[hit])
    if columns.threads[hit] != (hit == 0 ? 0 : columns.threads[hit - 1]) {
      shape |= Shape.thread
      threads.appendVarint(UInt64(thread))
    }
    var state = model.threads[thread]
    let flags = columns.flags[hit]
    if flags != state.flags {
      shape |= Shape.flags
      self.flags.append(flags.rawValue)
      state.flags = flags
    }
    let length = columns.starts[hit + 1] - columns.starts[hit]
    if length != state.windowLength {
      shape |= Shape.length
      lengths.appendVarint(UInt64(length))
      state.windowLength = length
    }
    var references = WordReferences()
    let kind = columns.kinds[hit]
    switch kind {
    case .entry: references = encodeEntry(hit, &state, &shape)
    case .return: encodeReturn(hit, &state, &shape)
    }
    shapes.append(shape)
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
      probes.appendVarint(UInt64(probe))
    }
    let stackPointer = columns.stackPointers[hit]
    Self.miss(
      &stackPointers, Shape.stackPointer, stackPointer,
      model.expectedStackPointer(reference, state), &shape)
    let address = columns.instructionPointers[hit]
    let sameProbe = model.lastEntry(of: probe)
    Self.miss(
      &instructionPointers, Shape.instructionPointer, address,
      sameProbe == 0 ? 0 : columns.instructionPointers[sameProbe - 1], &shape)
    Self.miss(
      &functions, Shape.function, columns.functions[hit], address, &shape)
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
      probes.appendVarint(UInt64(columns.probes[hit]))
    }
    Self.miss(
      &stackPointers, Shape.stackPointer, columns.stackPointers[hit], expected.stackPointer,
      &shape)
    Self.miss(
      &instructionPointers, Shape.instructionPointer, columns.instructionPointers[hit],
      expected.address, &shape)
    Self.miss(
      &functions, Shape.function, columns.functions[hit], expected.function, &shape)
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
    precondition(start >= 0 && length >= 0 && start <= columns.words.count - length)
    let slot = JudgedModel.wordSlot(columns.stackPointers[hit], thread)
    for first in stride(from: 0, to: length, by: 8) {
      let count = min(length - first, 8)
      let words = columns.words.suffix(from: start + first)
      var missed = compare(words, count, (slot &+ first) & (ModelMemory.wordSlots - 1))
      masks.append(missed)
      while missed != 0 {
        let place = missed.trailingZeroBitCount
        code(words[place], references, first + place)
        missed &= missed &- 1
      }
    }
  }

  /// Which of up to eight words are not those last seen in the slots from one on, where they are put.
  @inline(__always)
  private func compare(_ words: Table<UInt64>, _ count: Int, _ first: Int) -> UInt8 {
    precondition(count <= words.count)
    var missed: UInt8 = 0
    for place in 0..<count {
      let slot = (first &+ place) & (ModelMemory.wordSlots - 1)
      // The place is below the count, and a slot below the power of two that the table's length is.
      let word = unsafe words[unchecked: place]
      missed |= unsafe (model.words[unchecked: slot] == word ? 0 : 1) &<< UInt8(place)
      unsafe model.words[unchecked: slot] = word
    }
    return missed
  }

  private mutating func code(_ word: UInt64, _ references: WordReferences, _ place: Int) {
    let code =
      if columns.word(place, of: references.expected) == word {
        WordReferences.expectedCode
      } else if columns.word(place, of: references.sameProbe) == word {
        WordReferences.sameProbeCode
      } else {
        far.encode(word)
      }
    codes.append(code)
  }

  /// Appends a value where it is not as predicted, and notes so in the shape.
  @inline(__always)
  private static func miss(
    _ stream: inout ByteSink, _ bit: UInt8, _ value: UInt64, _ prediction: UInt64,
    _ shape: inout UInt8
  ) {
    guard value != prediction else { return }
    shape |= bit
    stream.appendVarint(Zigzag.encode(value &- prediction))
  }

  private mutating func link(_ hit: Int, _ prediction: UInt64) {
    let value = columns.links[hit]
    links.append(value == prediction ? 0 : 1)
    if value != prediction { linkValues.appendVarint(Zigzag.encode(value &- prediction)) }
  }
}

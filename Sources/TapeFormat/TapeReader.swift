public import ProbeEvents
public import SystemPackage

/// Reads one tape as a stream, block by block.
///
/// Memory is bounded by a block, however long the tape. Works on files, on pipes and on a tape that
/// is still being written (up to its last whole block). Damage is reported where it is met, and
/// reading goes on behind it.
public struct TapeReader {
  /// What the tape says about its recording.
  public let header: TapeHeader
  /// Optional parts of a newer writer that this program does not know and left out.
  public private(set) var skipped: Int
  /// Whether the trailer was met.
  public private(set) var isComplete = false

  /// Names of functions that frames of stacks lie in, as far as they were met: those of a block's
  /// stacks come before it.
  public private(set) var symbols = StackSymbols()
  /// Of these, those that were met by the last step.
  public private(set) var newSymbols: [StackSymbol] = []

  private let layout: RegisterLayout
  private let decompressor = ZstdDecompressor()
  private let memory = ModelMemory()
  private var frames: FrameReader
  private var content: [UInt8] = []
  private var state = State.reading
  /// The word to mark.
  private var word: UInt64 = 0

  private enum State {
    case reading
    case trailer(TapeTrailer)
    case ended
    case failed(TapeError)
  }

  /// Opens a tape file and reads its header.
  ///
  /// - Throws: ``TapeError`` when there is no tape that this program can read.
  public init(path: String) throws(TapeError) {
    try self.init(source: try TapeSource(path: path))
  }

  /// Reads a tape from a descriptor, which stays the caller's to close; `name` is for messages.
  public init(descriptor: FileDescriptor, name: String = "standard input") throws(TapeError) {
    try self.init(source: TapeSource(descriptor: descriptor, name: name))
  }

  /// Reads a tape from memory.
  public init(bytes: [UInt8]) throws(TapeError) {
    try self.init(source: TapeSource(bytes: bytes))
  }

  private init(source: TapeSource) throws(TapeError) {
    _ = try source.ensure(Prelude.length)
    let start = Array(source.bytes[..<min(source.available, Prelude.length)])
    let prelude = try Prelude.parse(start)
    guard try source.ensure(Prelude.length + prelude.headerLength) else {
      throw .headerTruncated(offset: UInt64(source.available))
    }
    let range = Prelude.length..<Prelude.length + prelude.headerLength
    let offset = UInt64(Prelude.length)
    guard Checksum.crc32c(source.bytes, range) == prelude.headerChecksum else {
      throw .headerChecksum(offset: offset)
    }
    var fields = FieldReader(source.bytes, range)
    let decoded: (header: TapeHeader, skipped: Int)
    do {
      decoded = try HeaderCodec.decode(&fields)
    } catch {
      throw .headerMalformed(reason: error, offset: offset)
    }
    header = decoded.header
    skipped = decoded.skipped + prelude.unknownFeatures.nonzeroBitCount
    layout = header.kernel.architecture.registerLayout
    source.consume(range.upperBound)
    frames = FrameReader(source: source)
  }

  /// Reads up to the next block, damage or trailer.
  ///
  /// - Parameters:
  ///   - columns: emptied first; holds the block's hits and side events when a block is returned.
  ///     Columns not selected stay empty.
  ///   - selected: the columns wanted. Damage in groups that nobody asked for is not noticed.
  ///   - word: a stack word to be marked in all windows, see ``HitColumns/marks``; 0 for none.
  /// - Throws: ``TapeError/unknownMandatory(_:offset:)``, or when reading fails; then again at each
  ///   further call.
  public mutating func next(
    into columns: inout HitColumns, selecting selected: TapeColumns, marking word: UInt64 = 0
  ) throws(TapeError) -> TapeStep {
    self.word = word
    newSymbols.removeAll(keepingCapacity: true)
    // Nobody else may hold the names while new ones come.
    columns.stackSymbols = StackSymbols()
    do throws(TapeError) {
      let step =
        switch state {
        case .ended: TapeStep.end
        case .failed(let error): throw error
        case .trailer(let trailer): end(with: trailer)
        case .reading: try read(into: &columns, selecting: selected)
        }
      if case .block = step { return step }
      columns.removeAll()
      columns.marks.removeAll(keepingCapacity: true)
      return step
    } catch {
      columns.removeAll()
      columns.marks.removeAll(keepingCapacity: true)
      state = .failed(error)
      throw error
    }
  }

  private mutating func read(
    into columns: inout HitColumns, selecting selected: TapeColumns
  ) throws(TapeError) -> TapeStep {
    while true {
      switch try frames.find() {
      case .end:
        state = .ended
        return .end
      case .damage(let damage): return .damage(damage)
      case .record(let header, let payload):
        let step: TapeStep?
        do {
          step = try decode(header, payload, into: &columns, selecting: selected)
        } catch {
          if error.needsNewerReader { throw .unknownMandatory(error, offset: frames.offset) }
          return .damage(try frames.reject(header, reason: error))
        }
        frames.accept(header)
        if let step { return try conclude(step) }
      }
    }
  }

  /// Nothing may follow a trailer: what does is reported before the trailer is.
  private mutating func conclude(_ step: TapeStep) throws(TapeError) -> TapeStep {
    guard case .trailer(let trailer) = step else { return step }
    let offset = frames.offset
    let extra = try frames.drain()
    guard extra > 0 else { return end(with: trailer) }
    state = .trailer(trailer)
    return .damage(TapeDamage(offset: offset, length: extra, reason: .bytesAfterTrailer))
  }

  private mutating func end(with trailer: TapeTrailer) -> TapeStep {
    isComplete = true
    state = .ended
    return .trailer(trailer)
  }

  /// Decodes a record; nil for one to be skipped.
  private mutating func decode(
    _ header: FrameHeader, _ payload: Range<Int>, into columns: inout HitColumns,
    selecting selected: TapeColumns
  ) throws(TapeDamage.Reason) -> TapeStep? {
    guard let kind = RecordKind(rawValue: header.kind) else {
      if header.isMandatory { throw .unknownRecord(header.kind) }
      skipped += 1
      return nil
    }
    let groups = try RecordGroups(header, payload)
    skipped += groups.skipped
    switch kind {
    case .block:
      try decodeBlock(header, groups, into: &columns, selecting: selected)
      return .block
    case .symbols:
      try inflate(groups, .symbols)
      for symbol in try SymbolCodec.decode(content) where symbols.insert(symbol) {
        newSymbols.append(symbol)
      }
      return nil
    case .trailer:
      try inflate(groups, .trailer)
      var fields = FieldReader(content)
      let decoded = try TrailerCodec.decode(&fields)
      skipped += decoded.skipped
      return .trailer(decoded.trailer)
    }
  }

  private mutating func decodeBlock(
    _ header: FrameHeader, _ groups: RecordGroups, into columns: inout HitColumns,
    selecting selected: TapeColumns
  ) throws(TapeDamage.Reason) {
    columns.reuse(keepingJudged: !selected.isDisjoint(with: [.judged, .registers]))
    if !selected.isDisjoint(with: [.judged, .registers]) {
      try inflate(groups, .judged)
      skipped += try JudgedGroup.decode(
        content, hits: header.hits, probeCount: self.header.probes.count,
        convention: CallConvention(hasLink: layout.linkRegister != nil), marking: word,
        memory: memory, into: &columns)
      columns.count = header.hits
    } else {
      columns.marks.removeAll(keepingCapacity: true)
    }
    if selected.contains(.times) {
      try inflate(groups, .times)
      try TimeCodec.decode(content, hits: header.hits, into: &columns.times)
    }
    if selected.contains(.cpus) {
      try inflate(groups, .cpus)
      try CPUCodec.decode(content, hits: header.hits, into: &columns.cpus)
    }
    if selected.contains(.registers) {
      try inflate(groups, .registers)
      try RegisterCodec.decode(content, layout, memory: memory, into: &columns)
    }
    // Who asks for stacks asks for those that there are.
    if selected.contains(.stacks), groups.has(.stacks) {
      try inflate(groups, .stacks)
      try StackCodec.decode(content, hits: header.hits, into: &columns)
      columns.stackSymbols = symbols
    }
    columns.count = header.hits
  }

  private mutating func inflate(
    _ groups: RecordGroups, _ id: RecordGroup
  ) throws(TapeDamage.Reason) {
    let place = try groups.place(of: id)
    try decompressor.decompress(
      frames.source.bytes, place.range, length: place.decodedLength, into: &content)
  }
}

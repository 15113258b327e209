public import ProbeEvents

/// How a tape is written.
public struct TapeWriterOptions: Sendable, Hashable {
  /// zstd level, 1 to 22. Higher ones gain little, since the columns are made of what no prediction
  /// gave: level 3 takes a third longer for a hundredth less.
  public var compressionLevel: Int32
  /// Hits after which a block ends by itself; more than ``TapeLimits/hitsPerBlock`` counts as that.
  public var hitsPerBlock: Int

  /// Options.
  public init(compressionLevel: Int32 = 1, hitsPerBlock: Int = 32_768) {
    self.compressionLevel = compressionLevel
    self.hitsPerBlock = hitsPerBlock
  }
}

/// Writes one tape: a header, blocks of hits and side events in the order they are given, a trailer.
///
/// Whatever the output has taken is readable; call ``flush()`` regularly, and ``finish(_:)`` when
/// the recording has ended.
public struct TapeWriter {
  /// Entry hits appended.
  public private(set) var entries: UInt64 = 0
  /// Return hits appended.
  public private(set) var returns: UInt64 = 0
  /// Records that the kernel dropped, by the `lost` side events appended.
  public private(set) var lost: UInt64 = 0
  /// Bytes given to the output.
  public private(set) var bytesWritten: UInt64 = 0

  let layout: RegisterLayout
  private let probeCount: Int
  private let hitsPerBlock: Int
  private let output: any TapeOutput
  private var frames: FrameWriter
  private var block: BlockBuffer
  /// Names that come before the next block.
  private var names: [StackSymbol] = []
  private var isFinished = false

  private static let symbolsPerRecord = 256
  /// Side event bytes at which a block ends by itself.
  private static let sideEventBytes = 1 << 20

  /// Begins a tape and writes its header at once.
  ///
  /// - Throws: ``TapeError/compressionLevel(_:)``, ``TapeError/headerTooLong(length:offset:)``, or
  ///   what the output throws.
  public init(
    header: TapeHeader, options: TapeWriterOptions = TapeWriterOptions(),
    output: any TapeOutput
  ) throws(TapeError) {
    precondition(header.probes.count <= TapeLimits.probes)
    layout = header.kernel.architecture.registerLayout
    probeCount = header.probes.count
    hitsPerBlock = min(max(options.hitsPerBlock, 1), TapeLimits.hitsPerBlock)
    block = BlockBuffer(layout: layout, hits: hitsPerBlock)
    frames = try FrameWriter(level: options.compressionLevel)
    self.output = output
    let fields = HeaderCodec.encode(header)
    guard UInt64(fields.count) <= TapeLimits.headerLength else {
      throw .headerTooLong(length: UInt64(fields.count), offset: 20)
    }
    try write(Prelude.encode(header: fields))
  }

  /// Appends a hit of a probe in the header's table.
  ///
  /// - Parameter window: whole 8-byte stack words from the stack pointer upwards, at most
  ///   ``TapeLimits/wordsPerWindow``.
  /// - Throws: when a block had to be written, what the output throws.
  public mutating func append(_ hit: Hit, window: Span<UInt64>) throws(TapeError) {
    let values = hit.registers.values
    try append(
      BareHit(hit), registers: values.span.extracting(first: layout.count), window: window)
  }

  /// Appends a hit whose registers lie elsewhere.
  ///
  /// - Parameter registers: one value for each column of the architecture's ``RegisterLayout``.
  public mutating func append(
    _ hit: BareHit, registers: Span<UInt64>, window: Span<UInt64>
  ) throws(TapeError) {
    guard !isFinished else { throw .alreadyFinished }
    precondition(Int(hit.probe) < probeCount && window.count <= TapeLimits.wordsPerWindow)
    if block.count >= hitsPerBlock || block.wordCount + window.count > TapeLimits.wordsPerBlock {
      try flush()
    }
    block.append(hit, registers: registers, window: window)
    switch hit.kind {
    case .entry: entries += 1
    case .return: returns += 1
    }
  }

  /// Appends a hit with its user stack, of a table: 0 for none.
  ///
  /// Paths in the table have at most ``TapeLimits/stackPathLength`` bytes.
  ///
  /// - Throws: when a block had to be written, what the output throws.
  public mutating func append(
    _ hit: Hit, window: Span<UInt64>, stack: StackReference, of table: borrowing StackTable
  ) throws(TapeError) {
    if block.stacks.isFull { try flush() }
    try append(hit, window: window)
    block.stacks.set(stack, of: table, hit: block.count - 1)
  }

  /// Appends the names of functions that hits of the block have in their stacks, to come before it.
  ///
  /// - Throws: what the output throws.
  public mutating func append(_ symbols: [StackSymbol]) throws(TapeError) {
    guard !isFinished else { throw .alreadyFinished }
    names += symbols
    if names.count >= Self.symbolsPerRecord { try writeNames() }
  }

  private mutating func writeNames() throws(TapeError) {
    guard !names.isEmpty else { return }
    names.sort { ($0.file.path, $0.offset) < ($1.file.path, $1.offset) }
    defer { names.removeAll(keepingCapacity: true) }
    // A record has room for so many names and paths of the greatest length.
    for start in stride(from: 0, to: names.count, by: Self.symbolsPerRecord) {
      let part = names[start..<min(names.count, start + Self.symbolsPerRecord)]
      try write(try frames.symbols(Array(part)))
    }
  }

  /// Appends a side event, before the next hit.
  ///
  /// - Throws: when a block had to be written, what the output throws.
  public mutating func append(_ event: TimedSideEvent) throws(TapeError) {
    guard !isFinished else { throw .alreadyFinished }
    if block.sideEvents.count >= TapeLimits.sideEventsPerBlock
      || block.sideEvents.bytes.count >= Self.sideEventBytes
      || block.sideEvents.witnessedInstances > TapeLimits.witnessedInstancesPerBlock - Witness.limit
    {
      try flush()
    }
    block.sideEvents.append(event, beforeHit: block.count)
    if case .lost(let hits) = event.event {
      lost = lost.addingReportingOverflow(hits.count).overflow ? .max : lost + hits.count
    }
  }

  /// Ends the current block, so that all hits and side events so far are in the output.
  ///
  /// - Throws: what the output throws. The block is given up then, so that a full disk does not
  ///   make the recorder keep everything in memory.
  public mutating func flush() throws(TapeError) {
    guard !block.isEmpty else { return }
    defer { block.removeAll() }
    try writeNames()
    try write(try frames.block(block, layout: layout))
  }

  /// Writes what is left and the trailer, which makes the tape complete.
  public mutating func finish(_ trailer: TapeTrailer) throws(TapeError) {
    guard !isFinished else { throw .alreadyFinished }
    try flush()
    try writeNames()
    try write(try frames.trailer(trailer))
    isFinished = true
  }

  private mutating func write(_ bytes: [UInt8]) throws(TapeError) {
    try output.write(bytes)
    bytesWritten += UInt64(bytes.count)
  }
}

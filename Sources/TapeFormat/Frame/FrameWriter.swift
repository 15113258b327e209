import ProbeEvents

/// Turns blocks and trailers into records.
struct FrameWriter {
  private let compressor: ZstdCompressor
  private let memory = ModelMemory()
  private var sequence: UInt32 = 0

  init(level: Int32) throws(TapeError) {
    compressor = try ZstdCompressor(level: level)
  }

  mutating func block(
    _ block: BlockBuffer, layout: RegisterLayout
  ) throws(TapeError) -> [UInt8] {
    var payload: [UInt8] = []
    let (columns, hits) = (block.columns, block.count)
    let judged = JudgedEncoder.encode(
      block, convention: CallConvention(hasLink: layout.linkRegister != nil), memory: memory)
    var groups = [
      try group(.judged, judged, &payload),
      try group(.times, TimeCodec.encode(columns.times, hits: hits), &payload),
      try group(.cpus, CPUCodec.encode(columns.cpus, hits: hits), &payload),
      try group(.registers, RegisterCodec.encode(block, layout, memory: memory), &payload),
    ]
    if !block.stacks.isEmpty {
      var stacks = block.stacks
      stacks.pad(to: hits)
      groups.append(
        try group(.stacks, StackCodec.encode(stacks.references, stacks.table), &payload))
    }
    return record(.block, hits: hits, groups, payload)
  }

  mutating func trailer(_ trailer: TapeTrailer) throws(TapeError) -> [UInt8] {
    var payload: [UInt8] = []
    let groups = [try group(.trailer, [TrailerCodec.encode(trailer)], &payload)]
    return record(.trailer, hits: 0, groups, payload)
  }

  mutating func symbols(_ symbols: [StackSymbol]) throws(TapeError) -> [UInt8] {
    var payload: [UInt8] = []
    let groups = [try group(.symbols, [SymbolCodec.encode(symbols)], &payload)]
    return record(.symbols, hits: 0, groups, payload)
  }

  private func group(
    _ id: RecordGroup, _ buffers: StreamBuffers, _ payload: inout [UInt8]
  ) throws(TapeError) -> FrameHeader.Group {
    try group(id, [buffers.directory] + buffers.streams, &payload)
  }

  /// Compresses parts one after the other as the record's next group.
  private func group(
    _ id: RecordGroup, _ parts: [[UInt8]], _ payload: inout [UInt8]
  ) throws(TapeError) -> FrameHeader.Group {
    let length = parts.reduce(0) { $0 + $1.count }
    precondition(length <= TapeLimits.groupLength)
    let stored = try compressor.compress(parts, length: length, into: &payload)
    return FrameHeader.Group(
      id: id.rawValue, encoding: FrameHeader.zstdEncoding, storedLength: stored,
      decodedLength: length)
  }

  private mutating func record(
    _ kind: RecordKind, hits: Int, _ groups: [FrameHeader.Group], _ payload: [UInt8]
  ) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(FrameHeader.maximumLength + payload.count)
    FrameHeader(kind: kind.rawValue, sequence: sequence, hits: hits, groups: groups)
      .encode(into: &bytes)
    bytes.append(contentsOf: payload)
    sequence &+= 1
    return bytes
  }
}

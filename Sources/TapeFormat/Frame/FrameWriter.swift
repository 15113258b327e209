import ProbeEvents

/// Turns blocks and trailers into records.
struct FrameWriter {
  private let compressor: ZstdCompressor
  private var sequence: UInt32 = 0
  private var content: [UInt8] = []

  init(level: Int32) throws(TapeError) {
    compressor = try ZstdCompressor(level: level)
  }

  mutating func block(
    _ block: BlockBuffer, layout: RegisterLayout
  ) throws(TapeError) -> [UInt8] {
    let columns = block.columns
    var payload: [UInt8] = []
    var groups: [FrameHeader.Group] = []
    content.removeAll(keepingCapacity: true)
    BlockGroups.encodeJudged(columns, sideEvents: block.sideEvents.bytes, into: &content)
    groups.append(try group(.judged, &payload))
    BlockGroups.encodeNumbers(columns.times, into: &content)
    groups.append(try group(.times, &payload))
    BlockGroups.encodeNumbers(columns.cpus.lazy.map(UInt64.init), into: &content)
    groups.append(try group(.cpus, &payload))
    BlockGroups.encodeNumbers(columns.registers, into: &content)
    groups.append(try group(.registers, &payload))
    return record(.block, hits: columns.count, groups, payload)
  }

  mutating func trailer(_ trailer: TapeTrailer) throws(TapeError) -> [UInt8] {
    content = TrailerCodec.encode(trailer)
    var payload: [UInt8] = []
    let groups = [try group(.trailer, &payload)]
    return record(.trailer, hits: 0, groups, payload)
  }

  /// Compresses the content as the record's next group, and empties it.
  private mutating func group(
    _ id: RecordGroup, _ payload: inout [UInt8]
  ) throws(TapeError) -> FrameHeader.Group {
    let length = content.count
    precondition(length <= TapeLimits.groupLength)
    let stored = try compressor.compress(content, into: &payload)
    content.removeAll(keepingCapacity: true)
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

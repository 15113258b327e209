import ProbeEvents

/// First shape of the groups: plain little-endian columns.
enum BlockGroups {
  static func encodeJudged(_ columns: HitColumns, sideEvents: [UInt8], into bytes: inout [UInt8]) {
    bytes.appendVarint(UInt64(columns.threadTable.count))
    for thread in columns.threadTable { SideEventCodec.encode(thread, into: &bytes) }
    for value in columns.kinds { bytes.append(value.rawValue) }
    for value in columns.flags { bytes.append(value.rawValue) }
    for value in columns.probes { bytes.appendVarint(UInt64(value)) }
    for value in columns.threads { bytes.appendVarint(UInt64(value)) }
    for value in columns.instructionPointers { bytes.appendVarint(value) }
    for value in columns.stackPointers { bytes.appendVarint(value) }
    for value in columns.linkRegisters { bytes.appendVarint(value) }
    for value in columns.functions { bytes.appendVarint(value) }
    for hit in 0..<columns.count {
      bytes.appendVarint(UInt64(columns.windowStarts[hit + 1] - columns.windowStarts[hit]))
    }
    for word in columns.windowWords { bytes.appendVarint(word) }
    bytes.append(contentsOf: sideEvents)
  }

  static func decodeJudged(
    _ bytes: [UInt8], hits: Int, probes: Int, hasLink: Bool, into columns: inout HitColumns
  ) throws(TapeDamage.Reason) -> Int {
    var reader = FieldReader(bytes)
    for _ in 0..<(try reader.count(TapeLimits.threadsPerBlock)) {
      columns.threadTable.append(try SideEventCodec.thread(&reader))
    }
    for _ in 0..<hits {
      guard let kind = HitKind(rawValue: try reader.byte()) else { throw .valueOutOfRange }
      columns.kinds.append(kind)
    }
    for _ in 0..<hits { columns.flags.append(HitFlags(rawValue: try reader.byte())) }
    for _ in 0..<hits { columns.probes.append(UInt32(try reader.count(probes - 1))) }
    for _ in 0..<hits {
      columns.threads.append(UInt32(try reader.count(columns.threadTable.count - 1)))
    }
    for _ in 0..<hits { columns.instructionPointers.append(try reader.varint()) }
    for _ in 0..<hits { columns.stackPointers.append(try reader.varint()) }
    if hasLink { for _ in 0..<hits { columns.linkRegisters.append(try reader.varint()) } }
    for _ in 0..<hits { columns.functions.append(try reader.varint()) }
    var words = 0
    for _ in 0..<hits {
      words += try reader.count(TapeLimits.wordsPerWindow)
      guard words <= TapeLimits.wordsPerBlock else { throw .overLimit }
      columns.windowStarts.append(UInt32(words))
    }
    for _ in 0..<words { columns.windowWords.append(try reader.varint()) }
    columns.count = hits
    return try SideEventCodec.decode(&reader, hits: hits, into: &columns.sideEvents)
  }

  static func encodeNumbers(_ values: some Sequence<UInt64>, into bytes: inout [UInt8]) {
    for value in values { bytes.appendVarint(value) }
  }

  static func decodeTimes(
    _ bytes: [UInt8], hits: Int, into columns: inout HitColumns
  ) throws(TapeDamage.Reason) {
    var reader = FieldReader(bytes)
    for _ in 0..<hits { columns.times.append(try reader.varint()) }
    try reader.finish()
  }

  static func decodeCPUs(
    _ bytes: [UInt8], hits: Int, into columns: inout HitColumns
  ) throws(TapeDamage.Reason) {
    var reader = FieldReader(bytes)
    for _ in 0..<hits { columns.cpus.append(try reader.unsigned(UInt16.self)) }
    try reader.finish()
  }

  static func decodeRegisters(
    _ bytes: [UInt8], hits: Int, layout: RegisterLayout, into columns: inout HitColumns
  ) throws(TapeDamage.Reason) {
    var reader = FieldReader(bytes)
    for _ in 0..<hits * layout.count { columns.registers.append(try reader.varint()) }
    try reader.finish()
  }
}

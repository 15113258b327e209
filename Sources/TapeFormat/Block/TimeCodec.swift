import ProbeEvents

/// Times: the signed difference to the hit before (0 before the first), as zigzag; its two low
/// bytes each in a stream of its own, what is above as a varint.
enum TimeCodec {
  private typealias Stream = Streams.Times

  static func encode(_ times: Table<UInt64>, hits: Int) -> StreamBuffers {
    var low = ByteSink(capacity: hits)
    var high = ByteSink(capacity: hits)
    var rest = ByteSink(capacity: hits)
    var latest: UInt64 = 0
    for hit in 0..<hits {
      let time = times[hit]
      let step = Zigzag.encode(time &- latest)
      latest = time
      low.append(UInt8(truncatingIfNeeded: step))
      high.append(UInt8(truncatingIfNeeded: step >> 8))
      rest.appendVarint(step >> 16)
    }
    var buffers = StreamBuffers(count: Stream.allCases.count)
    buffers.streams[Stream.lowBytes.rawValue] = low.bytes
    buffers.streams[Stream.highBytes.rawValue] = high.bytes
    buffers.streams[Stream.rest.rawValue] = rest.bytes
    return buffers
  }

  static func decode(
    _ content: [UInt8], hits: Int, into times: inout [UInt64]
  ) throws(TapeDamage.Reason) {
    var cursors = try Streams.split(content, count: Stream.allCases.count)
    let bytes = content.span
    var latest: UInt64 = 0
    times.reserveCapacity(hits)
    for _ in 0..<hits {
      let low = UInt64(try cursors[Stream.lowBytes.rawValue].byte(bytes))
      let high = UInt64(try cursors[Stream.highBytes.rawValue].byte(bytes))
      let rest = try cursors[Stream.rest.rawValue].varint(bytes)
      guard rest >> 48 == 0 else { throw .valueOutOfRange }
      latest &+= Zigzag.decode(rest << 16 | high << 8 | low)
      times.append(latest)
    }
    for cursor in cursors { try cursor.finish() }
  }
}

/// CPUs: low bytes, then high bytes.
enum CPUCodec {
  private typealias Stream = Streams.CPUs

  static func encode(_ cpus: Table<UInt16>, hits: Int) -> StreamBuffers {
    var low = ByteSink(capacity: hits)
    var high = ByteSink(capacity: hits)
    for hit in 0..<hits {
      low.append(UInt8(truncatingIfNeeded: cpus[hit]))
      high.append(UInt8(truncatingIfNeeded: cpus[hit] >> 8))
    }
    var buffers = StreamBuffers(count: Stream.allCases.count)
    buffers.streams[Stream.lowBytes.rawValue] = low.bytes
    buffers.streams[Stream.highBytes.rawValue] = high.bytes
    return buffers
  }

  static func decode(
    _ content: [UInt8], hits: Int, into cpus: inout [UInt16]
  ) throws(TapeDamage.Reason) {
    var cursors = try Streams.split(content, count: Stream.allCases.count)
    let bytes = content.span
    cpus.reserveCapacity(hits)
    for _ in 0..<hits {
      let low = UInt16(try cursors[Stream.lowBytes.rawValue].byte(bytes))
      let high = UInt16(try cursors[Stream.highBytes.rawValue].byte(bytes))
      cpus.append(high << 8 | low)
    }
    for cursor in cursors { try cursor.finish() }
  }
}

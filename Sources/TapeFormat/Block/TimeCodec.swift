import ProbeEvents

/// Times: the signed difference to the hit before (0 before the first), as zigzag; its two low
/// bytes each in a stream of its own, what is above as a varint.
enum TimeCodec {
  private typealias Stream = Streams.Times

  static func encode(_ times: [UInt64]) -> StreamBuffers {
    var buffers = StreamBuffers(count: Stream.allCases.count)
    var latest: UInt64 = 0
    for time in times {
      let step = Zigzag.encode(time &- latest)
      latest = time
      buffers.streams[Stream.lowBytes.rawValue].append(UInt8(truncatingIfNeeded: step))
      buffers.streams[Stream.highBytes.rawValue].append(UInt8(truncatingIfNeeded: step >> 8))
      buffers.streams[Stream.rest.rawValue].appendVarint(step >> 16)
    }
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

  static func encode(_ cpus: [UInt16]) -> StreamBuffers {
    var buffers = StreamBuffers(count: Stream.allCases.count)
    for cpu in cpus {
      buffers.streams[Stream.lowBytes.rawValue].append(UInt8(truncatingIfNeeded: cpu))
      buffers.streams[Stream.highBytes.rawValue].append(UInt8(truncatingIfNeeded: cpu >> 8))
    }
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

/// A group's content: for each of its streams the length as a 32-bit number, then the streams.
/// Which streams a group has, and their order, is fixed.
enum Streams {
  /// The streams of the judged group, in order.
  enum Judged: Int, CaseIterable {
    case threadTable, shapes, threads, probes, stackPointers, instructionPointers, functions
    case flags, lengths, links, linkValues, wordCount, masks, codes, regions, lowBytes, highBytes,
      sideEvents
  }

  /// The streams of the times group, in order.
  enum Times: Int, CaseIterable {
    case lowBytes, highBytes, rest
  }

  /// The streams of the CPU group, in order.
  enum CPUs: Int, CaseIterable {
    case lowBytes, highBytes
  }

  /// The streams of the registers group, in order.
  enum Registers: Int, CaseIterable {
    case tokens, regions, lowBytes, highBytes
  }

  /// The streams of the stacks group, in order.
  enum Stacks: Int, CaseIterable {
    case files, callers, endings, places, offsets, references, stacks
  }

  /// Where each stream is in a group's content; the lengths must fill it exactly.
  static func split(_ content: [UInt8], count: Int) throws(TapeDamage.Reason) -> [Cursor] {
    guard content.count >= 4 * count else { throw .streamTooShort }
    var start = 4 * count
    var cursors: [Cursor] = []
    for index in 0..<count {
      let length = Int(content.littleEndian(at: 4 * index, as: UInt32.self))
      guard length <= content.count - start else { throw .streamTooShort }
      cursors.append(Cursor(offset: start, end: start + length))
      start += length
    }
    guard start == content.count else { throw .streamTooLong }
    return cursors
  }
}

/// A place in a stream within a group's content.
struct Cursor {
  var offset: Int
  let end: Int

  var remaining: Int { end - offset }

  @inline(__always)
  mutating func byte(_ content: Span<UInt8>) throws(TapeDamage.Reason) -> UInt8 {
    guard offset < end else { throw .streamTooShort }
    // `Streams.split` has made sure that no stream ends after the content.
    let value = unsafe content[unchecked: offset]
    offset &+= 1
    return value
  }

  /// The next byte, of which the caller knows that it is there.
  @inline(__always)
  @unsafe mutating func byte(unchecked content: Span<UInt8>) -> UInt8 {
    // As above.
    let value = unsafe content[unchecked: offset]
    offset &+= 1
    return value
  }

  @inline(__always)
  mutating func varint(_ content: Span<UInt8>) throws(TapeDamage.Reason) -> UInt64 {
    guard offset < end &- 1 else { return try anyVarint(content) }
    // As above, and for one byte more. Whether a number has one byte or two is as good as random, so
    // it is not branched on.
    let first = unsafe UInt64(content[unchecked: offset])
    let second = unsafe UInt64(content[unchecked: offset &+ 1])
    let isLong = first >> 7
    guard second & isLong << 7 == 0 else { return try anyVarint(content) }
    offset &+= 1 &+ Int(truncatingIfNeeded: isLong)
    return first & 0x7F | (second << 7) & (0 &- isLong)
  }

  @inline(never)
  private mutating func anyVarint(
    _ content: Span<UInt8>
  ) throws(TapeDamage.Reason) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let next = try byte(content)
      if shift == 63 && next > 1 { throw .varintTooLong }
      value |= UInt64(next & 0x7F) << shift
      if next < 0x80 { return value }
      shift += 7
      if shift > 63 { throw .varintTooLong }
    }
  }

  /// A value that differs from its prediction: the signed difference, modulo 2^64.
  @inline(__always)
  mutating func miss(
    _ content: Span<UInt8>, _ prediction: UInt64
  ) throws(TapeDamage.Reason) -> UInt64 {
    prediction &+ Zigzag.decode(try varint(content))
  }

  func finish() throws(TapeDamage.Reason) {
    guard offset == end else { throw .streamTooLong }
  }
}

/// A group's streams while they are being written.
struct StreamBuffers {
  var streams: [[UInt8]]

  init(count: Int) {
    streams = Array(repeating: [], count: count)
  }

  mutating func removeAll() {
    for index in streams.indices { streams[index].removeAll(keepingCapacity: true) }
  }

  /// The lengths, as they stand before the streams.
  var directory: [UInt8] {
    var bytes: [UInt8] = []
    for stream in streams { bytes.appendLittleEndian(UInt32(stream.count)) }
    return bytes
  }
}

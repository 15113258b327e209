import ProbeEvents

/// Finds records in a stream of bytes, and the next one after damage.
struct FrameReader {
  private(set) var source: TapeSource
  private var expectedSequence: UInt32 = 0
  private var isAfterDamage = false

  init(source: TapeSource) {
    self.source = source
  }

  /// What stands at the current place. It stays there until ``settle`` or ``skip`` is called.
  enum Found {
    /// A record whose payload is at hand, at this range of the source's bytes.
    case record(FrameHeader, payload: Range<Int>)
    case damage(TapeDamage)
    case end
  }

  /// Offset of the current place in the tape.
  var offset: UInt64 { source.offset }

  /// Looks at the current place. Damage it reports is already behind it.
  mutating func find() throws(TapeError) -> Found {
    guard try source.ensure(1) else { return .end }
    switch try parse() {
    case .incomplete:
      return .damage(try damaged(.incomplete, .cut, .endOfFile, reason: .truncated, header: nil))
    case .invalid:
      return .damage(try damaged(.invalid, .cut, .neither, reason: .noFrame, header: nil))
    case .header(let header):
      if header.sequence != expectedSequence && !isAfterDamage {
        defer { expectedSequence = header.sequence }
        return .damage(
          TapeDamage(
            offset: offset, length: 0,
            reason: .sequence(expected: expectedSequence, found: header.sequence)))
      }
      guard try source.ensure(header.length + header.payloadLength) else {
        return .damage(
          try damaged(.valid, .cut, .endOfFile, reason: .truncated, header: header))
      }
      let start = source.head + header.length
      return .record(header, payload: start..<start + header.payloadLength)
    }
  }

  /// Reads no further than the record header goes, so that nobody waits for a record that is not
  /// written yet.
  private mutating func parse() throws(TapeError) -> FrameHeader.Parsed {
    while true {
      let parsed = source.header(at: 0)
      guard case .incomplete(let needed) = parsed, try source.ensure(needed) else {
        return parsed
      }
    }
  }

  /// Goes past the record that ``find()`` returned, which was used.
  mutating func accept(_ header: FrameHeader) {
    source.consume(header.length + header.payloadLength)
    expectedSequence = header.sequence &+ 1
    isAfterDamage = false
  }

  /// Goes past the record that ``find()`` returned, which did not decode, and says how far the
  /// damage reaches.
  mutating func reject(
    _ header: FrameHeader, reason: TapeDamage.Reason
  ) throws(TapeError) -> TapeDamage {
    let end = header.length + header.payloadLength
    let following: SalvageRule.Following
    if try source.ensure(end + FrameHeader.maximumLength) || source.available > end {
      switch source.header(at: end) {
      case .header: following = .record
      case .incomplete, .invalid: following = .neither
      }
    } else {
      following = .endOfFile
    }
    return try damaged(.valid, .undecodable, following, reason: reason, header: header)
  }

  /// Counts and consumes all bytes left.
  mutating func drain() throws(TapeError) -> UInt64 {
    let start = source.offset
    repeat { source.consume(source.available) } while try source.ensure(1)
    return source.offset - start
  }

  /// Does what the salvage table says about a damaged place.
  private mutating func damaged(
    _ place: SalvageRule.Header, _ payload: SalvageRule.Payload,
    _ following: SalvageRule.Following, reason: TapeDamage.Reason, header: FrameHeader?
  ) throws(TapeError) -> TapeDamage {
    let start = source.offset
    let action = SalvageRule.action(place, payload, following, afterDamage: isAfterDamage)
    let length = header.map { $0.length } ?? 0
    switch action {
    case .deliver, .end: preconditionFailure("not a damaged place")
    case .reportRecord: source.consume(length + (header?.payloadLength ?? 0))
    case .reportToNextAfterHeader: try scan(from: length)
    case .reportToNext: try scan(from: 1)
    case .reportRest: _ = try drain()
    }
    isAfterDamage = true
    return TapeDamage(
      offset: start, length: source.offset - start, reason: reason, hits: header?.hits)
  }

  /// Consumes bytes up to the next valid record header, at least `count` of them, or to the end.
  private mutating func scan(from count: Int) throws(TapeError) {
    source.consume(count)
    while try source.ensure(FrameHeader.maximumLength) || source.available > 0 {
      let isLast = source.available < FrameHeader.maximumLength
      let places = isLast ? source.available : source.available - FrameHeader.maximumLength + 1
      let first = UInt8(truncatingIfNeeded: FrameHeader.magic)
      for step in 0..<places where source.bytes[source.head + step] == first {
        if case .header = source.header(at: step) {
          source.consume(step)
          return
        }
      }
      source.consume(places)
    }
  }
}

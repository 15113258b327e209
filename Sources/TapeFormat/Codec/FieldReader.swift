/// A checked cursor over bytes, for headers, trailers and side events (not for hot columns).
struct FieldReader {
  let bytes: [UInt8]
  private(set) var offset: Int
  let end: Int

  init(_ bytes: [UInt8]) {
    self.init(bytes, 0..<bytes.count)
  }

  /// Reads a part of an array; the range must lie within it.
  init(_ bytes: [UInt8], _ range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= bytes.count)
    self.bytes = bytes
    offset = range.lowerBound
    end = range.upperBound
  }

  var isAtEnd: Bool { offset == end }
  var remaining: Int { end - offset }

  mutating func byte() throws(TapeDamage.Reason) -> UInt8 {
    guard offset < end else { throw .streamTooShort }
    defer { offset += 1 }
    return bytes[offset]
  }

  mutating func varint() throws(TapeDamage.Reason) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), through: 63, by: 7) {
      let next = try byte()
      if shift == 63 && next > 1 { throw .varintTooLong }
      value |= UInt64(next & 0x7F) << shift
      if next < 0x80 { return value }
    }
    throw .varintTooLong
  }

  /// A number that must not exceed a limit.
  mutating func count(_ limit: Int) throws(TapeDamage.Reason) -> Int {
    guard let value = Int(exactly: try varint()), value <= limit else { throw .overLimit }
    return value
  }

  mutating func unsigned<T: FixedWidthInteger & UnsignedInteger>(
    _ type: T.Type
  ) throws(TapeDamage.Reason) -> T {
    guard let value = T(exactly: try varint()) else { throw .valueOutOfRange }
    return value
  }

  mutating func signed() throws(TapeDamage.Reason) -> Int32 {
    let wide = Int64(bitPattern: Zigzag.decode(try varint()))
    guard let value = Int32(exactly: wide) else { throw .valueOutOfRange }
    return value
  }

  mutating func flag() throws(TapeDamage.Reason) -> Bool {
    switch try byte() {
    case 0: false
    case 1: true
    default: throw .valueOutOfRange
    }
  }

  /// Bytes with their length before them: a length beyond the end costs no allocation.
  mutating func blob() throws(TapeDamage.Reason) -> [UInt8] {
    let length = try varint()
    guard length <= UInt64(remaining) else { throw .streamTooShort }
    defer { offset += Int(length) }
    return Array(bytes[offset..<offset + Int(length)])
  }

  mutating func text() throws(TapeDamage.Reason) -> String {
    guard let text = String(validating: try blob(), as: UTF8.self) else { throw .notUTF8 }
    return text
  }

  /// All that is left, as text.
  mutating func rest() throws(TapeDamage.Reason) -> String {
    guard let text = String(validating: bytes[offset..<end], as: UTF8.self) else { throw .notUTF8 }
    offset = end
    return text
  }

  /// A cursor over the next bytes, whose length is before them.
  mutating func section() throws(TapeDamage.Reason) -> FieldReader {
    let length = try varint()
    guard length <= UInt64(remaining) else { throw .streamTooShort }
    defer { offset += Int(length) }
    return FieldReader(bytes, offset..<offset + Int(length))
  }

  /// Demands that everything was read.
  func finish() throws(TapeDamage.Reason) {
    guard isAtEnd else { throw .streamTooLong }
  }
}

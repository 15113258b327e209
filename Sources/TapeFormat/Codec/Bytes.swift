/// Numbers in byte arrays: fixed widths little-endian, variable lengths as LEB128.
extension [UInt8] {
  mutating func appendLittleEndian<T: FixedWidthInteger & UnsignedInteger>(_ value: T) {
    for shift in stride(from: 0, to: T.bitWidth, by: 8) {
      append(UInt8(truncatingIfNeeded: value >> T(shift)))
    }
  }

  /// Overwrites bytes that are already there.
  mutating func storeLittleEndian<T: FixedWidthInteger & UnsignedInteger>(_ value: T, at start: Int)
  {
    for index in 0..<T.bitWidth / 8 {
      self[start + index] = UInt8(truncatingIfNeeded: value >> T(index * 8))
    }
  }

  /// Reads bytes that must be there.
  func littleEndian<T: FixedWidthInteger & UnsignedInteger>(at start: Int, as type: T.Type) -> T {
    var value: T = 0
    for index in 0..<T.bitWidth / 8 {
      value |= T(self[start + index]) << T(index * 8)
    }
    return value
  }

  mutating func appendVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }

  mutating func appendText(_ text: String) {
    appendVarint(UInt64(text.utf8.count))
    append(contentsOf: text.utf8)
  }

  mutating func appendBlob(_ blob: [UInt8]) {
    appendVarint(UInt64(blob.count))
    append(contentsOf: blob)
  }

  mutating func appendSigned(_ value: Int32) {
    appendVarint(Zigzag.encode(UInt64(bitPattern: Int64(value))))
  }
}

/// Maps differences, modulo 2^64, so that small ones of both signs become small numbers.
enum Zigzag {
  static func encode(_ value: UInt64) -> UInt64 {
    (value << 1) ^ UInt64(bitPattern: Int64(bitPattern: value) >> 63)
  }

  static func decode(_ value: UInt64) -> UInt64 {
    (value >> 1) ^ (0 &- (value & 1))
  }
}

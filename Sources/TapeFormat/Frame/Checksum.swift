/// CRC-32C (Castagnoli), as in RFC 3720 appendix B.4: polynomial 0x1EDC6F41 reflected, all ones at
/// the start and inverted at the end. Used for the prelude, the header and record headers.
enum Checksum {
  /// The checksum of a part of an array; the range must lie within it.
  static func crc32c(_ bytes: [UInt8], _ range: Range<Int>) -> UInt32 {
    var state = UInt32.max
    for index in range {
      state = table[Int((state ^ UInt32(bytes[index])) & 0xFF)] ^ (state >> 8)
    }
    return ~state
  }

  private static let table: [UInt32] = (0..<256).map { byte in
    var value = UInt32(byte)
    for _ in 0..<8 {
      value = value & 1 == 1 ? (value >> 1) ^ 0x82F6_3B78 : value >> 1
    }
    return value
  }
}

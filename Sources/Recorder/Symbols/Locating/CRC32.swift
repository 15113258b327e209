/// The checksum that a debug link gives of its debug file (the CRC-32 of IEEE 802.3).
struct CRC32 {
  private var state: UInt32 = 0xffff_ffff

  private static let table: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { value, _ in value >> 1 ^ (value & 1 == 0 ? 0 : 0xedb8_8320) }
  }

  /// Takes in more bytes.
  mutating func update(_ bytes: some Sequence<UInt8>) {
    for byte in bytes {
      state = state >> 8 ^ Self.table[Int(UInt8(truncatingIfNeeded: state) ^ byte)]
    }
  }

  /// The checksum of all bytes so far.
  var checksum: UInt32 { ~state }

  /// The checksum of a whole file, or nil when it cannot be read.
  static func checksum(ofFile path: String) -> UInt32? {
    var sum = CRC32()
    let isWhole = SmallFile.forEachPiece(of: path) { piece in
      sum.update(piece)
      return true
    }
    return isWhole ? sum.checksum : nil
  }
}

/// The first bytes of every tape, in every version of the format: magic, version, features, and
/// the length and checksum of the header that follows.
enum Prelude {
  static let length = 32
  static let magic: [UInt8] = [0x8B, 0x70, 0x74, 0x61, 0x70, 0x65, 0x0D, 0x0A]
  /// Features of this tape that a reader must have; none exist yet.
  static let mandatoryFeatures: UInt32 = 0

  static func encode(header: [UInt8]) -> [UInt8] {
    var bytes = magic
    bytes.appendLittleEndian(TapeVersion.current)
    bytes.appendLittleEndian(mandatoryFeatures)
    bytes.appendLittleEndian(UInt32(0))
    bytes.appendLittleEndian(UInt32(header.count))
    bytes.appendLittleEndian(Checksum.crc32c(header, 0..<header.count))
    bytes.appendLittleEndian(Checksum.crc32c(bytes, 0..<bytes.count))
    bytes.append(contentsOf: header)
    return bytes
  }

  /// What the prelude says of the header that follows it.
  struct Parsed {
    var headerLength: Int
    var headerChecksum: UInt32
    /// Optional features that this reader does not know.
    var unknownFeatures: UInt32
  }

  /// Checks the first bytes of a file, all of them if it is shorter than a prelude.
  static func parse(_ bytes: [UInt8]) throws(TapeError) -> Parsed {
    guard !bytes.isEmpty else { throw .empty }
    let start = bytes.prefix(magic.count)
    if start.elementsEqual(magic.reversed()) { throw .foreignByteOrder }
    guard magic.starts(with: start) else { throw .notATape }
    guard bytes.count >= length else { throw .headerTruncated(offset: UInt64(bytes.count)) }
    let checksum = bytes.littleEndian(at: 28, as: UInt32.self)
    guard Checksum.crc32c(bytes, 0..<28) == checksum else { throw .headerChecksum(offset: 0) }
    let version = bytes.littleEndian(at: 8, as: UInt32.self)
    guard version == TapeVersion.current else {
      throw .newerVersion(found: version, supported: TapeVersion.current)
    }
    let mandatory = bytes.littleEndian(at: 12, as: UInt32.self)
    guard mandatory & ~mandatoryFeatures == 0 else {
      throw .unknownFeatures(bits: mandatory & ~mandatoryFeatures, offset: 12)
    }
    let headerLength = bytes.littleEndian(at: 20, as: UInt32.self)
    guard UInt64(headerLength) <= TapeLimits.headerLength else {
      throw .headerTooLong(length: UInt64(headerLength), offset: 20)
    }
    return Parsed(
      headerLength: Int(headerLength),
      headerChecksum: bytes.littleEndian(at: 24, as: UInt32.self),
      unknownFeatures: bytes.littleEndian(at: 16, as: UInt32.self))
  }
}

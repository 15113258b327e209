@testable import TapeFormat

/// Puts fields into the header of a tape.
enum HeaderSurgery {
  /// The tape with more bytes at the end of its header, and lengths and checksums made right.
  static func appending(_ field: [UInt8], to tape: [UInt8]) -> [UInt8] {
    let end = Prelude.length + Int(tape.littleEndian(at: 20, as: UInt32.self))
    var changed = Array(tape[..<end]) + field
    changed.storeLittleEndian(UInt32(changed.count - Prelude.length), at: 20)
    changed.storeLittleEndian(
      Checksum.crc32c(changed, Prelude.length..<changed.count), at: 24)
    changed.storeLittleEndian(Checksum.crc32c(changed, 0..<28), at: 28)
    return changed + tape[end...]
  }
}

/// One note of an ELF note section.
struct ELFNote {
  /// Who defines the type, without the zero byte at the end.
  let owner: String
  /// What the owner says it is.
  let type: UInt32
  /// The bytes.
  let content: [UInt8]

  /// The notes of a section's or segment's bytes, up to the first that does not fit.
  static func notes(in bytes: [UInt8]) -> [ELFNote] {
    var notes: [ELFNote] = []
    var index = 0
    while let nameSize = bytes.littleEndian(at: index, width: 4),
      let size = bytes.littleEndian(at: index + 4, width: 4),
      let type = bytes.littleEndian(at: index + 8, width: 4)
    {
      // Both sizes are 32-bit numbers and the index is within the bytes, so the sums fit.
      let start = index + 12 + (Int(nameSize) + 3) & ~3
      guard start + Int(size) <= bytes.count else { break }
      let name = bytes[index + 12..<index + 12 + Int(nameSize)]
      notes.append(
        ELFNote(
          owner: String(decoding: name.last == 0 ? name.dropLast() : name, as: UTF8.self),
          type: UInt32(truncatingIfNeeded: type),
          content: Array(bytes[start..<start + Int(size)])))
      index = start + (Int(size) + 3) & ~3
    }
    return notes
  }
}

import CElf

extension ELFFile {
  /// The virtual addresses at which unwinding entries begin, from `.eh_frame_hdr`, ordered; empty
  /// when the file has no such table or has it in an encoding no linker writes.
  ///
  /// Each function has one, and the cold part that GCC splits off has its own.
  func unwindStarts() -> [UInt64] {
    guard let header = programHeaders.first(where: { $0.p_type == UInt32(PT_GNU_EH_FRAME) }),
      let bytes = handle.bytes(at: header.p_offset, count: header.p_filesz),
      // Version 1; pointer, count and table as 4-byte numbers, the table's relative to the header.
      bytes.count >= 12, bytes[0] == 1, bytes[1] == 0x1b, bytes[2] == 0x03, bytes[3] == 0x3b,
      let count = bytes.littleEndian(at: 8, width: 4)
    else { return [] }
    // An entry takes 8 bytes, so the segment's size bounds the count.
    return (0..<min(Int(count), (bytes.count - 12) / 8)).compactMap { index in
      bytes.littleEndian(at: 12 + index * 8, width: 4).map { raw in
        let distance = Int64(Int32(truncatingIfNeeded: raw))
        return header.p_vaddr &+ UInt64(bitPattern: distance)
      }
    }.sorted()
  }
}

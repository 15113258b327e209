import CElf
import Glibc

/// Where a stretch of code begins, as the unwinding information says, which survives `strip`.
///
/// Each function has an entry, and the cold part that GCC splits off has its own.
struct UnwindEntry {
  /// Virtual address of the first instruction.
  let start: UInt64
  /// Virtual address of the entry itself, in `.eh_frame`.
  let entryAddress: UInt64
}

extension ELFFile {
  /// The unwinding entries from `.eh_frame_hdr`, ordered by start; none when the file has no such
  /// table or has it in an encoding no linker writes.
  func unwindEntries() -> [UnwindEntry] {
    guard let header = programHeaders.first(where: { $0.p_type == UInt32(PT_GNU_EH_FRAME) }),
      let bytes = handle.bytes(at: header.p_offset, count: header.p_filesz),
      // Version 1; pointer, count and table as 4-byte numbers, the table's relative to the header.
      bytes.count >= 12, bytes[0] == 1, bytes[1] == 0x1b, bytes[2] == 0x03, bytes[3] == 0x3b,
      let count = bytes.littleEndian(at: 8, width: 4)
    else { return [] }
    // An entry takes 8 bytes, so the segment's size bounds the count.
    return (0..<min(Int(count), (bytes.count - 12) / 8)).compactMap { index in
      guard let start = bytes.littleEndian(at: 12 + index * 8, width: 4),
        let entry = bytes.littleEndian(at: 16 + index * 8, width: 4)
      else { return nil }
      return UnwindEntry(
        start: header.p_vaddr &+ Self.signExtended(start),
        entryAddress: header.p_vaddr &+ Self.signExtended(entry))
    }.sorted { $0.start < $1.start }
  }

  /// The length of the code that an entry describes; nil when the entry is not in the form that
  /// compilers write (4-byte numbers, the start relative to its own place).
  func length(of entry: UnwindEntry) -> UInt64? {
    guard let offset = fileOffset(of: entry.entryAddress),
      let bytes = handle.bytes(at: offset, count: 16),
      let start = bytes.littleEndian(at: 8, width: 4),
      let length = bytes.littleEndian(at: 12, width: 4),
      // An entry that names another start is in another form, so its length is no length.
      entry.entryAddress &+ 8 &+ Self.signExtended(start) == entry.start
    else { return nil }
    return length
  }

  private static func signExtended(_ raw: UInt64) -> UInt64 {
    UInt64(bitPattern: Int64(Int32(truncatingIfNeeded: raw)))
  }
}

import CElf
import Glibc

/// A file's unwind entries and the table to find them by, as they lie in memory.
public struct UnwindTables: Sendable {
  /// A stretch of the file as it is mapped.
  public struct Area: Sendable {
    /// Virtual address of the first byte, before relocation.
    public let address: UInt64
    /// The bytes.
    public let bytes: [UInt8]
  }

  /// Virtual address of `.eh_frame_hdr`, which the table's numbers are relative to.
  public let header: UInt64
  /// Virtual address of the table: pairs of 32-bit numbers, ordered by the first.
  public let table: UInt64
  /// How many pairs there are; all lie within the areas.
  public let count: Int
  /// `.eh_frame_hdr` and `.eh_frame`.
  public let areas: [Area]
}

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

  /// The unwind entries with their table; nil when the file has no entries or more than `limit` bytes
  /// of them. Where the file has no table, or has it in an encoding no linker writes, one is made.
  public func unwindTables(limit: UInt64) -> UnwindTables? {
    linkedTables(limit: limit) ?? madeTables(limit: limit)
  }

  private func madeTables(limit: UInt64) -> UnwindTables? {
    guard let section = sections.first(where: { $0.name == ".eh_frame" })?.header,
      section.sh_size <= limit, let bytes = handle.bytes(of: section),
      // Behind everything that the file maps, and near enough for 32-bit distances.
      let end = segments.map({ $0.address &+ $0.fileSize }).max()
    else { return nil }
    let base = (end &+ 0x20_0000) & ~0xFFF
    let table = FrameEntries(address: section.sh_addr, bytes: bytes).table(relativeTo: base)
    guard !table.isEmpty else { return nil }
    return UnwindTables(
      header: base, table: base, count: table.count / 8,
      areas: [
        UnwindTables.Area(address: base, bytes: table),
        UnwindTables.Area(address: section.sh_addr, bytes: bytes),
      ])
  }

  private func linkedTables(limit: UInt64) -> UnwindTables? {
    guard let header = programHeaders.first(where: { $0.p_type == UInt32(PT_GNU_EH_FRAME) }),
      header.p_filesz <= limit,
      let bytes = handle.bytes(at: header.p_offset, count: header.p_filesz),
      bytes.count >= 12, bytes[0] == 1, bytes[1] == 0x1b, bytes[2] == 0x03, bytes[3] == 0x3b,
      let distance = bytes.littleEndian(at: 4, width: 4),
      let count = bytes.littleEndian(at: 8, width: 4)
    else { return nil }
    // The pointer is relative to its own place.
    let frames = header.p_vaddr &+ 4 &+ Self.signExtended(distance)
    guard let segment = segments.first(where: { $0.fileOffset(of: frames) != nil }),
      let offset = segment.fileOffset(of: frames)
    else { return nil }
    let section = sections.first { $0.name == ".eh_frame" && $0.header.sh_addr == frames }
    let rest = segment.fileSize - (frames - segment.address)
    let length = min(section?.header.sh_size ?? rest, rest)
    guard length <= limit, let entries = handle.bytes(at: offset, count: length) else { return nil }
    return UnwindTables(
      header: header.p_vaddr, table: header.p_vaddr &+ 12,
      count: min(Int(count), (bytes.count - 12) / 8),
      areas: [
        UnwindTables.Area(address: header.p_vaddr, bytes: bytes),
        UnwindTables.Area(address: frames, bytes: entries),
      ])
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

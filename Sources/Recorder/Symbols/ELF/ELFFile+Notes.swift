import CElf
import Glibc

extension ELFFile {
  /// The GNU build id; empty when the file has none.
  ///
  /// Sections come first: in a separate debug file the program headers still describe the stripped
  /// file, so their offsets lead nowhere.
  public var buildID: [UInt8] {
    let inSections = sections.filter { $0.header.sh_type == UInt32(SHT_NOTE) }
      .map { (offset: $0.header.sh_offset, size: $0.header.sh_size) }
    let inSegments = programHeaders.filter { $0.p_type == UInt32(PT_NOTE) }
      .map { (offset: $0.p_offset, size: $0.p_filesz) }
    for range in inSections + inSegments where range.size <= Self.notesLimit {
      guard let notes = handle.bytes(at: range.offset, count: range.size) else { continue }
      if let found = Self.buildID(in: notes) { return found }
    }
    return []
  }

  /// The name and checksum of the separate debug file (`.gnu_debuglink`), where the file has them.
  var debugLink: (name: String, checksum: UInt32)? {
    guard let section = sections.first(where: { $0.name == ".gnu_debuglink" }),
      section.header.sh_size <= Self.notesLimit, let bytes = handle.bytes(of: section.header),
      let name = StringTable(bytes).string(at: 0, limit: 256), !name.isEmpty, !name.contains("/"),
      // The checksum follows the name's zero byte, at the next multiple of four.
      let checksum = bytes.littleEndian(at: (name.utf8.count + 4) & ~3, width: 4)
    else { return nil }
    return (name, UInt32(truncatingIfNeeded: checksum))
  }

  /// Notes and links are small; a file that says otherwise is not believed.
  private static let notesLimit: UInt64 = 1 << 20

  private static func buildID(in notes: [UInt8]) -> [UInt8]? {
    for note in ELFNote.notes(in: notes)
    where note.owner == "GNU" && note.type == UInt32(NT_GNU_BUILD_ID) {
      if (1...64).contains(note.content.count) { return note.content }
    }
    return nil
  }
}

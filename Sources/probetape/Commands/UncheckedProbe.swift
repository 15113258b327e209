import ArgumentParser
import ProbeEvents
import SystemPackage

/// A probe taken as it is, with nobody looking whether the file can be probed there:
/// `uprobe:PATH:0xOFFSET:SYMBOL`, or `uretprobe:`.
///
/// This is how `tools/record-all` records its 32-bit programs. `-e` refuses such files, as kernels
/// before 7.0 and their stable releases may let a 32-bit target hit one probe for ever.
enum UncheckedProbe {
  static func parse(_ text: String) throws -> Probe {
    let parts = text.split(separator: ":").map(String.init)
    guard parts.count == 4, ["uprobe", "uretprobe"].contains(parts[0]),
      parts[2].hasPrefix("0x"), let offset = UInt64(parts[2].dropFirst(2), radix: 16)
    else { throw ValidationError("'\(text)' is not uprobe:PATH:0xOFFSET:SYMBOL.") }
    return Probe(
      path: parts[1], fileOffset: offset, symbol: parts[3], wantsReturn: parts[0] == "uretprobe",
      originalBytes: try bytes(of: parts[1], at: offset))
  }

  /// What the kernel keeps of an instruction (`MAX_UINSN_BYTES`), fewer at the end of the file.
  private static func bytes(of path: String, at offset: UInt64) throws -> [UInt8] {
    let file = try FileDescriptor.open(FilePath(path), .readOnly)
    return try file.closeAfter {
      try unsafe [UInt8](unsafeUninitializedCapacity: 16) { buffer, count in
        // The system writes at most the buffer's own length.
        count = try unsafe file.read(
          fromAbsoluteOffset: Int64(clamping: offset), into: UnsafeMutableRawBufferPointer(buffer))
      }
    }
  }
}

import Glibc
import ProbeEvents
import Recorder

/// The library that the kernel maps into every process. It is in no file: this process has the one
/// of the running kernel.
enum VirtualLibrary {
  static let name = "[vdso]"
  /// More than the kernel's ever had.
  private static let limit = 1 << 20

  /// The library as this process has it, if it is the one of the tape.
  static func image(_ file: StackFile, _ kernel: KernelFacts) -> UnwindImage? {
    guard let bytes = ownBytes(), let found = try? ELFFile(bytes: bytes) else { return nil }
    let isSame =
      file.buildID.isEmpty ? isRunning(kernel) : found.buildID == file.buildID
    return isSame ? try? UnwindImage(name: name, bytes: bytes) : nil
  }

  /// Whether the tape was recorded on the very kernel that runs now.
  private static func isRunning(_ kernel: KernelFacts) -> Bool {
    var names = utsname()
    // `names` is a whole structure of the type the call fills, and the kernel ends each field with
    // a zero inside its fixed length.
    guard unsafe uname(&names) == 0 else { return false }
    func text<Field>(_ field: Field) -> String {
      var field = field
      return unsafe withUnsafeBytes(of: &field) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
    }
    return text(names.release) == kernel.release && text(names.version) == kernel.version
      && text(names.machine) == kernel.architecture.name
  }

  /// The mapping's bytes; nil when there is none.
  private static func ownBytes() -> [UInt8]? {
    guard let range = ownRange(), range.count <= limit,
      let start = unsafe UnsafeRawPointer(bitPattern: range.lowerBound)
    else { return nil }
    // The mapping is as long as the kernel's own table of mappings says, readable, and lasts as
    // long as the process.
    return unsafe [UInt8](UnsafeRawBufferPointer(start: start, count: range.count))
  }

  /// Where the kernel's table of this process's mappings has the library.
  private static func ownRange() -> Range<UInt>? {
    guard let maps = unsafe fopen("/proc/self/maps", "r") else { return nil }
    defer { _ = unsafe fclose(maps) }
    var line = [CChar](repeating: 0, count: 4096)
    // The call writes at most `line.count` bytes, with a zero at the end.
    while unsafe fgets(&line, Int32(line.count), maps) != nil {
      let text = String(
        decoding: line.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
      guard text.hasSuffix(name) else { continue }
      let ends = text.prefix { $0 != " " }.split(separator: "-").map { UInt($0, radix: 16) }
      guard ends.count == 2, let start = ends[0], let end = ends[1], start < end else { return nil }
      return start..<end
    }
    return nil
  }
}

/// The bytes of an ELF string section, read with every offset held against its end.
struct StringTable {
  private let bytes: [UInt8]

  /// A table over the bytes of a section.
  init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// The size of the section in bytes.
  var size: Int { bytes.count }

  /// The string at an offset; nil when the offset is outside, or no end comes within `limit`.
  func string(at offset: UInt64, limit: Int) -> String? {
    guard let start = Int(exactly: offset), start < bytes.count else { return nil }
    let window = bytes[start..<min(bytes.count, start + min(limit, bytes.count - start))]
    guard let end = window.firstIndex(of: 0) else { return nil }
    return String(decoding: window[..<end], as: UTF8.self)
  }
}

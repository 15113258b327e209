/// The libraries listed in the dynamic loader's cache (`/etc/ld.so.cache`, the format of glibc 2.2
/// and later, with the hardware capabilities of glibc 2.33).
struct LoaderCache {
  /// One library: its soname, where it is, and the `glibc-hwcaps` name it is for, if any.
  struct Entry: Hashable {
    let name: String
    let path: String
    let capability: String?
  }

  /// All libraries, in the cache's order.
  let entries: [Entry]

  /// The entries of a cache file; none when there is no such file or its format is unknown.
  init(path: String) {
    entries = SmallFile.contents(of: path, limit: 1 << 26).map(Self.parse) ?? []
  }

  /// The entries of a cache in memory.
  init(bytes: [UInt8]) {
    entries = Self.parse(bytes)
  }

  /// Paths for a soname, the ones for the preferred hardware capabilities first.
  func paths(of name: String, capabilities: [String]) -> [String] {
    let matches = entries.filter { $0.name == name }
    let preferred = capabilities.flatMap { capability in
      matches.filter { $0.capability == capability }
    }
    return (preferred + matches.filter { $0.capability == nil }).map(\.path)
  }

  private static let magic = Array("glibc-ld.so.cache1.1".utf8)
  private static let headerSize = 48
  private static let entrySize = 24
  private static let nameLimit = 4096

  private static func parse(_ bytes: [UInt8]) -> [Entry] {
    // Old caches have a part in an older format first; ours starts at a multiple of four.
    guard
      let start = stride(from: 0, to: max(bytes.count - headerSize, 0), by: 4)
        .first(where: { bytes[$0...].starts(with: magic) }),
      let count = bytes.littleEndian(at: start + 20, width: 4),
      let extensions = bytes.littleEndian(at: start + 32, width: 4)
    else { return [] }
    // Offsets count from the start of this part.
    let cache = Array(bytes[start...])
    let strings = StringTable(cache)
    let capabilities = capabilityNames(cache, strings, at: Int(extensions))
    // An entry takes `entrySize` bytes, so the file's size bounds the count.
    return (0..<min(Int(count), cache.count / entrySize)).compactMap { index in
      let at = headerSize + index * entrySize
      guard let key = cache.littleEndian(at: at + 4, width: 4),
        let value = cache.littleEndian(at: at + 8, width: 4),
        let hardware = cache.littleEndian(at: at + 16, width: 8),
        let name = strings.string(at: key, limit: nameLimit),
        let path = strings.string(at: value, limit: nameLimit)
      else { return nil }
      // Bit 62 says that the low half names a capability; other bits are those of old loaders.
      guard hardware != 0 else { return Entry(name: name, path: path, capability: nil) }
      guard hardware >> 32 == 1 << 30, let number = Int(exactly: hardware & 0xffff_ffff),
        capabilities.indices.contains(number)
      else { return nil }
      return Entry(name: name, path: path, capability: capabilities[number])
    }
  }

  private static func capabilityNames(
    _ cache: [UInt8], _ strings: StringTable, at offset: Int
  ) -> [String] {
    let directoryMagic: UInt64 = 0xeaa4_2174
    let capabilitiesTag: UInt64 = 1
    guard cache.littleEndian(at: offset, width: 4) == directoryMagic,
      let count = cache.littleEndian(at: offset + 4, width: 4)
    else { return [] }
    for section in 0..<min(Int(count), 64) {
      let at = offset + 8 + section * 16
      guard cache.littleEndian(at: at, width: 4) == capabilitiesTag,
        let start = cache.littleEndian(at: at + 8, width: 4),
        let size = cache.littleEndian(at: at + 12, width: 4)
      else { continue }
      return (0..<min(Int(size / 4), 1024)).map { index in
        cache.littleEndian(at: Int(start) + index * 4, width: 4)
          .flatMap { strings.string(at: $0, limit: nameLimit) } ?? ""
      }
    }
    return []
  }
}

import Recorder

/// What a file has in its mapped segments, read by the page when asked for.
final class FileWords {
  private static let pageSize: UInt64 = 4096
  /// Pages kept, 1 MiB; beyond that, all are forgotten at once.
  private static let pageLimit = 256

  private let read: (UInt64, Int) -> [UInt8]
  /// By file offset, each with as much behind it as a word that begins on it needs.
  private var pages: [UInt64: [UInt8]] = [:]

  /// - Parameter read: the bytes at a file offset, fewer than asked for at the end of the file.
  init(read: @escaping (_ offset: UInt64, _ count: Int) -> [UInt8]) { self.read = read }

  /// Eight bytes; what lies behind the end of the file reads as zero.
  func word(atFileOffset offset: UInt64) -> UInt64 {
    let start = offset & ~(Self.pageSize - 1)
    let bytes = page(start)
    let first = Int(offset - start)
    return (0..<8).reduce(0) { word, place in
      first + place < bytes.count ? word | UInt64(bytes[first + place]) << UInt64(place * 8) : word
    }
  }

  private func page(_ start: UInt64) -> [UInt8] {
    if let known = pages[start] { return known }
    if pages.count >= Self.pageLimit { pages.removeAll(keepingCapacity: true) }
    let bytes = read(start, Int(Self.pageSize) + 7)
    pages[start] = bytes
    return bytes
  }
}

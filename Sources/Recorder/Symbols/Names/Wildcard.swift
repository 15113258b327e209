/// A pattern in which `*` stands for any text, also none.
struct Wildcard {
  private let parts: [[UInt8]]

  /// A pattern; one without `*` matches itself alone.
  init(_ pattern: String) {
    parts = pattern.utf8.split(separator: 0x2a, omittingEmptySubsequences: false).map(Array.init)
  }

  /// Whether the text matches from its start to its end.
  func matches(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    guard let first = parts.first, let last = parts.last, parts.count > 1 else {
      return parts.first.map { $0 == bytes } ?? bytes.isEmpty
    }
    guard bytes.count >= first.count + last.count, bytes.starts(with: first),
      bytes.suffix(last.count).elementsEqual(last)
    else { return false }
    // Taking each inner part at its first place leaves the most room for the parts behind it.
    var rest = bytes[first.count..<bytes.count - last.count]
    for part in parts.dropFirst().dropLast() where !part.isEmpty {
      guard let found = Self.firstIndex(of: part, in: rest) else { return false }
      rest = rest[(found + part.count)...]
    }
    return true
  }

  private static func firstIndex(of part: [UInt8], in text: ArraySlice<UInt8>) -> Int? {
    guard text.count >= part.count else { return nil }
    return (text.startIndex...text.endIndex - part.count).first { start in
      text[start..<start + part.count].elementsEqual(part)
    }
  }
}

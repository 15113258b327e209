/// A place in bytes that moves forward. Every read is checked: one past the end gives nil and leaves
/// the place where it is.
struct ByteCursor {
  let bytes: [UInt8]
  private(set) var position: Int
  let end: Int

  /// A cursor over a part of `bytes`, which is cut to what is there.
  init(_ bytes: [UInt8], from start: Int = 0, to end: Int? = nil) {
    self.bytes = bytes
    self.end = min(max(end ?? bytes.count, 0), bytes.count)
    position = min(max(start, 0), self.end)
  }

  /// Bytes not read yet.
  var left: Int { end - position }

  /// Moves on; nil when there are fewer bytes.
  mutating func take(_ count: Int) -> Range<Int>? {
    guard count >= 0, count <= left else { return nil }
    defer { position += count }
    return position..<position + count
  }

  /// A little-endian number.
  mutating func number<Number: FixedWidthInteger>(_ type: Number.Type) -> Number? {
    guard let range = take(MemoryLayout<Number>.size) else { return nil }
    return bytes.number(at: range.lowerBound, as: type)
  }

  /// Text of a fixed size, up to its first zero byte.
  mutating func text(_ count: Int) -> String? {
    take(count).map { bytes.text($0) }
  }

  /// Text up to a zero byte, which must be there and is skipped.
  mutating func zeroTerminated() -> String? {
    guard let zero = bytes[position..<end].firstIndex(of: 0) else { return nil }
    defer { position = zero + 1 }
    return bytes.text(position..<zero)
  }
}

extension [UInt8] {
  /// The little-endian number at an index; the caller has checked that it lies inside.
  func number<Number: FixedWidthInteger>(at index: Int, as type: Number.Type) -> Number {
    precondition(index >= 0 && index + MemoryLayout<Number>.size <= count)
    // Inside the bytes, as just checked; any pattern of bits is a number.
    let raw = unsafe withUnsafeBytes { unsafe $0.loadUnaligned(fromByteOffset: index, as: type) }
    return Number(littleEndian: raw)
  }

  /// The text in a range, up to its first zero byte.
  func text(_ range: Range<Int>) -> String {
    String(decoding: self[range].prefix { $0 != 0 }, as: UTF8.self)
  }
}

extension [UInt8] {
  /// The little-endian number of `width` bytes (up to 8) at an index; nil beyond the end.
  func littleEndian(at index: Int, width: Int) -> UInt64? {
    guard index >= 0, index <= count, width <= count - index else { return nil }
    return self[index..<index + width].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }
}

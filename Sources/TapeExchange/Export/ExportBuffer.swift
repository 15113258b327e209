import TapeFormat

/// Collects an export's bytes and passes them on in pieces.
struct ExportBuffer {
  private(set) var bytes: [UInt8] = []
  private let output: any TapeOutput

  private static let piece = 1 << 16

  init(_ output: any TapeOutput) {
    self.output = output
  }

  mutating func append(_ text: String) {
    bytes.append(contentsOf: text.utf8)
  }

  mutating func append(_ more: [UInt8]) {
    bytes.append(contentsOf: more)
  }

  /// Appends hexadecimal digits.
  mutating func append(hexadecimal value: UInt64) {
    let digits = max(1, (67 - value.leadingZeroBitCount) / 4)
    for place in (0..<digits).reversed() {
      let digit = UInt8(truncatingIfNeeded: value >> UInt64(place * 4)) & 15
      bytes.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
    }
  }

  /// Appends decimal digits, filled up with zeros at their left.
  mutating func append(decimal value: UInt64, width: Int = 1) {
    let start = bytes.count
    var rest = value
    while rest > 0 || bytes.count - start < width {
      bytes.append(0x30 + UInt8(truncatingIfNeeded: rest % 10))
      rest /= 10
    }
    bytes[start...].reverse()
  }

  /// Appends a number in decimal.
  mutating func append(decimal value: Int32) {
    if value < 0 { bytes.append(0x2D) }
    append(decimal: UInt64(value.magnitude))
  }

  /// Passes on what is there when it is worth a write.
  mutating func flushIfFull() throws(TapeError) {
    if bytes.count >= Self.piece { try flush() }
  }

  mutating func flush() throws(TapeError) {
    guard !bytes.isEmpty else { return }
    defer { bytes.removeAll(keepingCapacity: true) }
    try output.write(bytes)
  }
}

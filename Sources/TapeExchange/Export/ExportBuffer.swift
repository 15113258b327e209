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

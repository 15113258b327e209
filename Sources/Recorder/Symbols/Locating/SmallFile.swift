import SystemPackage

/// Reads whole small files, and files of any size in pieces.
enum SmallFile {
  /// The contents of a file, or nil when it cannot be read or is longer than `limit` bytes.
  static func contents(of path: String, limit: Int) -> [UInt8]? {
    var result: [UInt8] = []
    let isWhole = forEachPiece(of: path) { piece in
      guard piece.count <= limit - result.count else { return false }
      result += piece
      return true
    }
    return isWhole ? result : nil
  }

  /// Hands over a file piece by piece until `body` returns false; returns whether it was read to
  /// its end.
  static func forEachPiece(of path: String, _ body: (ArraySlice<UInt8>) -> Bool) -> Bool {
    guard
      let descriptor = try? FileDescriptor.open(
        FilePath(path), .readOnly, options: [.closeOnExec, .nonBlocking])
    else { return false }
    defer { try? descriptor.close() }
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      // The system writes at most the buffer's own length.
      let count = unsafe buffer.withUnsafeMutableBytes { bytes in
        (try? unsafe descriptor.read(into: bytes)) ?? -1
      }
      guard count > 0 else { return count == 0 }
      guard body(buffer[..<count]) else { return false }
    }
  }
}

import SystemPackage

/// A tape's bytes as a stream: what was read but not yet consumed, and where it starts in the tape.
final class TapeSource {
  /// Bytes not yet consumed start at `head`.
  private(set) var bytes: [UInt8]
  private(set) var head = 0
  /// Offset in the tape of `bytes[head]`.
  private(set) var offset: UInt64 = 0
  private var descriptor: FileDescriptor?
  private let path: String
  private let closesDescriptor: Bool

  private static let chunk = 1 << 18

  init(bytes: [UInt8]) {
    self.bytes = bytes
    descriptor = nil
    path = "memory"
    closesDescriptor = false
  }

  init(path: String) throws(TapeError) {
    bytes = []
    self.path = path
    do {
      descriptor = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec])
    } catch {
      throw .system("open", path, error)
    }
    closesDescriptor = true
  }

  init(descriptor: FileDescriptor, name: String) {
    bytes = []
    path = name
    self.descriptor = descriptor
    closesDescriptor = false
  }

  deinit {
    if closesDescriptor { try? descriptor?.close() }
  }

  /// Bytes at hand.
  var available: Int { bytes.count - head }

  /// Reads until `count` bytes are at hand; returns whether they are, false at the end of input.
  func ensure(_ count: Int) throws(TapeError) -> Bool {
    while available < count {
      guard try readChunk() else { return false }
    }
    return true
  }

  /// Consumes bytes that are at hand.
  func consume(_ count: Int) {
    precondition(count <= available)
    head += count
    offset += UInt64(count)
  }

  /// Reads whatever comes next, at most one chunk, so that memory grows only with what is there.
  private func readChunk() throws(TapeError) -> Bool {
    guard let descriptor else { return false }
    if head > 0 {
      bytes.removeSubrange(0..<head)
      head = 0
    }
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: Self.chunk))
    let read: Int
    do {
      // The pointer spans exactly the bytes just appended, and is not kept.
      read = try unsafe bytes.withUnsafeMutableBytes { buffer in
        try unsafe descriptor.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[start...]))
      }
    } catch {
      bytes.removeSubrange(start...)
      throw .system("read", path, error)
    }
    bytes.removeSubrange((start + read)...)
    return read > 0
  }
}

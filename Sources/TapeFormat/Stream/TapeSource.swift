import SystemPackage

/// A tape's bytes as a stream: what was read but not yet consumed, and where it starts in the tape.
final class TapeSource {
  /// Bytes not yet consumed are those from `head` to `end`; what lies behind is room for the next.
  private(set) var bytes: [UInt8]
  private(set) var head = 0
  private(set) var end: Int
  /// Offset in the tape of `bytes[head]`.
  private(set) var offset: UInt64 = 0
  private var descriptor: FileDescriptor?
  private let path: String
  private let closesDescriptor: Bool

  private static let chunk = 1 << 18

  init(bytes: [UInt8]) {
    self.bytes = bytes
    end = bytes.count
    descriptor = nil
    path = "memory"
    closesDescriptor = false
  }

  init(path: String) throws(TapeError) {
    bytes = []
    end = 0
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
    end = 0
    path = name
    self.descriptor = descriptor
    closesDescriptor = false
  }

  deinit {
    if closesDescriptor { try? descriptor?.close() }
  }

  /// Bytes at hand.
  var available: Int { end - head }

  /// Reads until `count` bytes are at hand; returns whether they are, false at the end of input.
  func ensure(_ count: Int) throws(TapeError) -> Bool {
    while available < count {
      guard try readChunk() else { return false }
    }
    return true
  }

  /// The record header at a distance from the first byte at hand, as far as bytes are at hand.
  func header(at distance: Int) -> FrameHeader.Parsed {
    FrameHeader.parse(bytes, at: head + distance, before: end)
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
    moveToStart()
    let missing = end + Self.chunk - bytes.count
    if missing > 0 { bytes.append(contentsOf: repeatElement(0, count: missing)) }
    do {
      // The pointer spans exactly one chunk of the room, and is not kept.
      let read = try unsafe bytes.withUnsafeMutableBytes { [end] buffer in
        try unsafe descriptor.read(
          into: UnsafeMutableRawBufferPointer(rebasing: buffer[end..<end + Self.chunk]))
      }
      end += read
      return read > 0
    } catch {
      throw .system("read", path, error)
    }
  }

  /// Makes room behind the bytes at hand.
  private func moveToStart() {
    guard head > 0 else { return }
    // Both ranges lie within the array, whose pointer is not kept; they may overlap.
    unsafe bytes.withUnsafeMutableBytes { [head, end] buffer in
      unsafe buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[head..<end]))
    }
    end -= head
    head = 0
  }
}

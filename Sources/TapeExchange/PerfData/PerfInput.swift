import SystemPackage

/// A perf.data that can be read at any place: a regular file.
final class PerfInput {
  let name: String
  /// Bytes in the file.
  let length: UInt64
  private let descriptor: FileDescriptor
  private let closesDescriptor: Bool

  init(path: String) throws(ExchangeError) {
    name = path
    do {
      descriptor = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec])
    } catch {
      throw .system("open", path, error)
    }
    closesDescriptor = true
    length = try Self.length(descriptor, path)
  }

  init(descriptor: FileDescriptor, name: String) throws(ExchangeError) {
    self.descriptor = descriptor
    self.name = name
    closesDescriptor = false
    length = try Self.length(descriptor, name)
  }

  deinit {
    // Only read from: close has nothing to report.
    if closesDescriptor { try? descriptor.close() }
  }

  /// Up to `count` bytes from an offset; fewer only at the end of the file.
  func read(at offset: UInt64, count: Int) throws(ExchangeError) -> [UInt8] {
    guard offset < length else { return [] }
    let wanted = Int(min(UInt64(count), length - offset))
    var bytes = [UInt8](repeating: 0, count: wanted)
    var filled = 0
    while filled < wanted {
      let read: Int
      do {
        // The buffer is the part of `bytes` not filled yet, and is not kept.
        read = try unsafe bytes.withUnsafeMutableBytes { buffer in
          try unsafe descriptor.read(
            fromAbsoluteOffset: Int64(offset) + Int64(filled),
            into: UnsafeMutableRawBufferPointer(rebasing: buffer[filled...]))
        }
      } catch {
        throw .system("read", name, error)
      }
      guard read > 0 else { break }
      filled += read
    }
    bytes.removeSubrange(filled...)
    return bytes
  }

  private static func length(
    _ descriptor: FileDescriptor, _ name: String
  ) throws(ExchangeError) -> UInt64 {
    do {
      return UInt64(try descriptor.seek(offset: 0, from: .end))
    } catch {
      throw .system("seek in", name, error)
    }
  }
}

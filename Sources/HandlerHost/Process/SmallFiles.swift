public import SystemPackage

/// Whole files, read and written at once.
public enum SmallFiles {
  /// The bytes of a file of at most `limit` bytes; nil when it cannot be read or is longer.
  public static func read(_ path: String, limit: Int) -> [UInt8]? {
    guard
      let descriptor = try? FileDescriptor.open(
        FilePath(path), .readOnly, options: .closeOnExec)
    else { return nil }
    // A descriptor that was only read from has nothing to report at its close.
    defer { try? descriptor.close() }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      guard
        let count = try? unsafe buffer.withUnsafeMutableBytes({
          unsafe try descriptor.read(into: $0)
        })
      else { return nil }
      if count == 0 { return bytes }
      bytes += buffer[..<count]
      if bytes.count > limit { return nil }
    }
  }

  /// Writes a file anew, for its owner alone to write.
  public static func write(_ bytes: [UInt8], to path: String) throws(Errno) {
    do {
      let descriptor = try FileDescriptor.open(
        FilePath(path), .writeOnly, options: [.create, .truncate, .closeOnExec],
        permissions: [.ownerReadWrite, .groupRead, .otherRead])
      do {
        try descriptor.writeAll(bytes)
      } catch {
        try? descriptor.close()
        throw error
      }
      try descriptor.close()
    } catch let error as Errno {
      throw error
    } catch {
      throw .ioError
    }
  }
}

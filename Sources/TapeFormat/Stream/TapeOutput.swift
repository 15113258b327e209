public import SystemPackage

/// Where a tape's bytes go, in order.
public protocol TapeOutput: AnyObject {
  /// Writes all bytes, or throws ``TapeError/system(operation:path:errno:)``.
  func write(_ bytes: [UInt8]) throws(TapeError)
}

/// A tape in a file or pipe.
public final class FileTapeOutput: TapeOutput {
  private let descriptor: FileDescriptor
  private let path: String
  private let closesDescriptor: Bool

  /// Creates the file, or empties it when it is there.
  ///
  /// - Throws: ``TapeError`` when the file cannot be opened for writing.
  public init(path: String) throws(TapeError) {
    do {
      descriptor = try FileDescriptor.open(
        FilePath(path), .writeOnly, options: [.create, .truncate, .closeOnExec],
        permissions: [.ownerReadWrite, .groupRead, .otherRead])
    } catch {
      throw .system("create", path, error)
    }
    self.path = path
    closesDescriptor = true
  }

  /// Writes to a descriptor that stays the caller's to close; `name` is for error messages.
  public init(descriptor: FileDescriptor, name: String = "standard output") {
    self.descriptor = descriptor
    path = name
    closesDescriptor = false
  }

  deinit {
    // Every write was checked; a tape is durable up to what the kernel has taken.
    if closesDescriptor { try? descriptor.close() }
  }

  /// Writes all bytes, going on after short writes and signals.
  public func write(_ bytes: [UInt8]) throws(TapeError) {
    do {
      _ = try descriptor.writeAll(bytes)
    } catch {
      throw .system("write", path, error)
    }
  }
}

/// A tape in memory.
public final class MemoryTapeOutput: TapeOutput {
  /// The tape so far.
  public private(set) var bytes: [UInt8] = []

  /// An empty tape.
  public init() {}

  /// Appends bytes.
  public func write(_ bytes: [UInt8]) throws(TapeError) {
    self.bytes.append(contentsOf: bytes)
  }
}

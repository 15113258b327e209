import Glibc
public import SystemPackage

/// A small file in the temporary directory (`TMPDIR`, else `/tmp`) that is gone with the value.
public struct TemporaryFile: ~Copyable {
  /// Where it is.
  public let path: String

  private init(path: String) {
    self.path = path
  }

  deinit {
    _ = unsafe unlink(path)
  }

  /// A new file with a content, which only its owner can read.
  ///
  /// - Parameter stem: what its name begins with.
  public static func make(_ stem: String, _ bytes: [UInt8]) throws(Errno) -> TemporaryFile {
    let (descriptor, path) = try open(stem)
    let file = TemporaryFile(path: path)
    close(descriptor)
    try SmallFiles.write(bytes, to: path)
    return file
  }

  /// Opens a new empty file, which is the caller's to close and to remove.
  static func open(_ stem: String) throws(Errno) -> (descriptor: Int32, path: String) {
    var name = Array("\(directory)/\(stem)-XXXXXX".utf8CString)
    // The name is zero-terminated, and `mkstemp` changes it in place.
    let descriptor = unsafe mkstemp(&name)
    guard descriptor >= 0 else { throw Errno(rawValue: errno) }
    _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    let bytes = name.dropLast().map { UInt8(bitPattern: $0) }
    return (descriptor, String(decoding: bytes, as: UTF8.self))
  }

  private static var directory: String {
    // The environment is not changed while it is read: nothing in this program calls setenv.
    unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/tmp"
  }
}

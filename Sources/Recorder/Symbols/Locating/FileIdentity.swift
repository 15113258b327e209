import Glibc

/// What makes two paths the same file to the kernel, which probes inodes and not names.
struct FileIdentity: Hashable {
  let device: UInt64
  let inode: UInt64

  /// The identity of the file at a path, links followed; nil when there is none.
  init?(path: String) {
    var status = stat()
    // `path` is passed with its terminating zero; `status` is a whole structure.
    guard unsafe stat(path, &status) == 0 else { return nil }
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
  }

  /// The absolute path of a file with all symbolic links resolved; nil when there is no such file.
  static func absolutePath(of path: String) -> String? {
    // With a null buffer the library allocates the result, ours to free.
    guard let resolved = unsafe realpath(path, nil) else { return nil }
    defer { unsafe free(resolved) }
    return unsafe String(cString: resolved)
  }

  /// Whether there is a regular file that we may execute, which is what `execvp` looks for.
  static func isExecutable(_ path: String) -> Bool {
    var status = stat()
    // `path` is passed with its terminating zero both times; `status` is a whole structure.
    guard unsafe stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return false }
    return unsafe access(path, X_OK) == 0
  }
}

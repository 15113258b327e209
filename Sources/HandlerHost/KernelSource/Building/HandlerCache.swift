import Glibc
import SystemPackage

/// Where built handlers are kept: `$XDG_CACHE_HOME/probetape/handlers`.
enum HandlerCache {
  /// The directory, made if need be.
  static func directory() throws(KernelSourceError) -> String {
    let path = try base() + "/probetape/handlers"
    var made = ""
    for part in path.split(separator: "/") {
      made += "/" + part
      // Made for its owner alone: what lies in it is loaded and run.
      if unsafe mkdir(made, 0o700) != 0, errno != EEXIST {
        throw .cache("\(made): \(Errno(rawValue: errno).description)")
      }
    }
    var status = stat()
    guard unsafe stat(path, &status) == 0, status.st_uid == geteuid(),
      status.st_mode & mode_t(S_IWOTH | S_IWGRP) == 0
    else { throw .cache("\(path) can be written by others") }
    return path
  }

  /// A file name for a content: two independent 64-bit hashes. A hit is confirmed by comparing the
  /// content itself.
  static func name(_ content: [UInt8]) -> String {
    var first: UInt64 = 0xCBF2_9CE4_8422_2325
    var second: UInt64 = 0x9E37_79B9_7F4A_7C15
    for byte in content {
      // FNV-1a, and a rotate-multiply beside it: wrapping is their arithmetic.
      first = (first ^ UInt64(byte)) &* 0x100_0000_01B3
      second = (second << 7 | second >> 57) &* 0xFF51_AFD7_ED55_8CCD ^ UInt64(byte)
    }
    return String(first, radix: 36) + "-" + String(second, radix: 36)
  }

  private static func base() throws(KernelSourceError) -> String {
    // The environment is not changed while it is read: nothing in this program calls setenv.
    if let path = unsafe getenv("XDG_CACHE_HOME").map({ unsafe String(cString: $0) }),
      path.hasPrefix("/")
    {
      return path
    }
    if let home = unsafe getenv("HOME").map({ unsafe String(cString: $0) }), home.hasPrefix("/") {
      return home + "/.cache"
    }
    throw .cache("neither XDG_CACHE_HOME nor HOME is an absolute path")
  }
}

import CMessageDigest
import SystemPackage
import TapeFormat

/// What a tape that is made from another says of its origin.
enum TapeOrigin {
  /// The step from the tape at a path, by a command as typed without the names of tapes.
  static func step(_ command: String, from path: String) throws(TapeError) -> TapeDerivation {
    TapeDerivation(
      command: command, source: FilePath(path).lastComponent?.string ?? "",
      digest: try sha256(of: path))
  }

  /// SHA-256 of a file's bytes.
  static func sha256(of path: String) throws(TapeError) -> [UInt8] {
    var context = SHA2_CTX()
    // The structure lives for each of the calls.
    unsafe SHA256Init(&context)
    do {
      let file = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec])
      try file.closeAfter {
        var chunk = [UInt8](repeating: 0, count: 1 << 18)
        while true {
          let count = try unsafe chunk.withUnsafeMutableBytes { try unsafe file.read(into: $0) }
          if count == 0 { return }
          // The array has at least `count` bytes.
          unsafe SHA256Update(&context, chunk, count)
        }
      }
    } catch {
      let number = (error as? Errno) ?? .ioError
      throw .system(operation: "read", path: path, errno: number.rawValue)
    }
    var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
    // The array has the 32 bytes that are written.
    unsafe SHA256Final(&digest, &context)
    return digest
  }

  /// A digest in hexadecimal.
  static func text(_ digest: [UInt8]) -> String {
    digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

/// Why a file cannot serve as a handler library.
public enum HandlerLibraryError: Error, Sendable, Hashable, CustomStringConvertible {
  /// The dynamic loader refuses it; with what the loader says.
  case cannotLoad(path: String, reason: String)
  /// It does not export `probe_handler_v1`.
  case noHandler(path: String)
  /// It was compiled against another version of `probe_handler.h`.
  case wrongVersion(path: String, found: UInt32, expected: UInt32)
  /// It was compiled against another layout of `struct probe_handler`.
  case wrongSize(path: String, found: UInt32, expected: UInt32)
  /// A function of its table is NULL.
  case missingFunction(path: String, name: String)
  /// Its `create` gave no state for the tape.
  case refused(name: String, release: String)

  /// What happened, and what helps.
  public var description: String {
    switch self {
    case .cannotLoad(let path, let reason):
      "\(path) cannot be loaded as a handler: \(reason)"
    case .noHandler(let path):
      "\(path) is no handler: it does not export probe_handler_v1 (see probe_handler.h)"
    case .wrongVersion(let path, let found, let expected):
      "\(path) speaks version \(found) of probe_handler.h, this program version \(expected): "
        + "compile it again"
    case .wrongSize(let path, let found, let expected):
      "\(path) has a handler table of \(found) bytes where \(expected) are due: compile it "
        + "against the probe_handler.h of this program"
    case .missingFunction(let path, let name):
      "\(path) leaves '\(name)' of its handler table NULL"
    case .refused(let name, let release):
      "handler \(name) refuses a tape of kernel \(release)"
    }
  }
}

import SystemPackage

/// The text of an errno.
func systemErrorText(_ number: Int32) -> String {
  Errno(rawValue: number).description
}

extension TapeError {
  /// An error from swift-system, or the directory case where that is what it means.
  static func system(_ operation: String, _ path: String, _ error: any Error) -> TapeError {
    guard let number = error as? Errno else {
      return .system(operation: operation, path: path, errno: Errno.ioError.rawValue)
    }
    if number == .isDirectory { return .isDirectory(path: path) }
    return .system(operation: operation, path: path, errno: number.rawValue)
  }
}

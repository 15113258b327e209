import FoundationEssentials
import SystemPackage

/// File names at the edge of the program.
enum FileKeeping {
  /// Renames a regular file, replacing what has the new name. Other files, pipes for example, and
  /// names that do not exist are left alone.
  static func renameIfRegular(_ path: String, to newPath: String) throws {
    guard isRegular(path) else { return }
    try removeIfRegular(newPath)
    try FileManager.default.moveItem(atPath: path, toPath: newPath)
  }

  /// Removes a regular file; leaves everything else alone.
  static func removeIfRegular(_ path: String) throws {
    if isRegular(path) { try FileManager.default.removeItem(atPath: path) }
  }

  private static func isRegular(_ path: String) -> Bool {
    (try? FilePath(path).stat(followTargetSymlink: false))?.type == .regular
  }
}

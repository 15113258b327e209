import Foundation

/// File names at the edge of the program.
enum FileKeeping {
  /// Renames a regular file, replacing what has the new name. Other files, pipes for example, and
  /// names that do not exist are left alone.
  static func renameIfRegular(_ path: String, to newPath: String) throws {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    guard attributes?[.type] as? FileAttributeType == .typeRegular else { return }
    if FileManager.default.fileExists(atPath: newPath) {
      try FileManager.default.removeItem(atPath: newPath)
    }
    try FileManager.default.moveItem(atPath: path, toPath: newPath)
  }
}

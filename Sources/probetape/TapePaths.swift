import ArgumentParser
import FoundationEssentials
import SystemPackage

/// The tapes a command line names: files as they are, directories searched for `.tape` files.
enum TapePaths {
  /// Whether two names are of one file.
  static func isSame(_ one: String, _ other: String) -> Bool {
    guard let one = try? FilePath(one).stat(), let other = try? FilePath(other).stat() else {
      return false
    }
    return one.deviceID == other.deviceID && one.inode == other.inode
  }

  /// Expands directories, in sorted order. A directory without tapes is wrong usage.
  static func expand(_ arguments: [String]) throws -> [String] {
    var paths: [String] = []
    for argument in arguments {
      // Anything but a directory is left to the reader to complain about.
      guard (try? FilePath(argument).stat())?.type == .directory else {
        paths.append(argument)
        continue
      }
      // The dot makes it the directory that a link is to.
      let inside = try FileManager.default.subpathsOfDirectory(atPath: argument + "/.")
      let names = inside.filter { $0.hasSuffix(".tape") }.sorted()
      guard !names.isEmpty else {
        throw ValidationError(
          "\(argument) has no .tape files. Name a tape, or a directory that holds some.")
      }
      let base = argument.hasSuffix("/") ? String(argument.dropLast()) : argument
      paths += names.map { base + "/" + $0 }
    }
    return paths
  }
}

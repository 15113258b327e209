import ArgumentParser
import Foundation

/// The tapes a command line names: files as they are, directories searched for `.tape` files.
enum TapePaths {
  /// Expands directories, in sorted order. A directory without tapes is wrong usage.
  static func expand(_ arguments: [String]) throws -> [String] {
    var paths: [String] = []
    for argument in arguments {
      // Only a directory has sub-paths; anything else is left to the reader to complain about.
      guard let inside = try? FileManager.default.subpathsOfDirectory(atPath: argument) else {
        paths.append(argument)
        continue
      }
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

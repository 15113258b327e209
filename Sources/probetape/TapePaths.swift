import ArgumentParser
import Foundation

/// The tapes a command line names: files as they are, directories searched for `.tape` files.
enum TapePaths {
  /// Whether two names are of one file.
  static func isSame(_ one: String, _ other: String) -> Bool {
    func identity(_ path: String) -> [NSNumber]? {
      let attributes = try? FileManager.default.attributesOfItem(atPath: path)
      guard let device = attributes?[.systemNumber] as? NSNumber,
        let file = attributes?[.systemFileNumber] as? NSNumber
      else { return nil }
      return [device, file]
    }
    guard let known = identity(one) else { return false }
    return known == identity(other)
  }

  /// Expands directories, in sorted order. A directory without tapes is wrong usage.
  static func expand(_ arguments: [String]) throws -> [String] {
    var paths: [String] = []
    for argument in arguments {
      // Anything but a directory is left to the reader to complain about.
      let attributes = try? FileManager.default.attributesOfItem(atPath: argument)
      guard attributes?[.type] as? FileAttributeType == .typeDirectory else {
        paths.append(argument)
        continue
      }
      let inside = try FileManager.default.subpathsOfDirectory(atPath: argument)
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

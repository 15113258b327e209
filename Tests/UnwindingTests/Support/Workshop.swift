import Foundation

/// A folder for one test with what it compiles, gone with the last reference.
final class Workshop: Sendable {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// The repository's top folder.
  static let top = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  let folder: URL

  init() throws {
    folder = FileManager.default.temporaryDirectory
      .appending(path: "probetape-unwinding-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
  }

  deinit {
    try? FileManager.default.removeItem(at: folder)
  }

  /// Compiles a source text and returns the program's path.
  func compile(
    _ source: String, _ options: [String] = ["-O2", "-g"], compiler: String = "cc",
    suffix: String = "c", name: String = "program"
  ) throws -> String {
    let file = folder.appending(path: name + "." + suffix)
    try Data(source.utf8).write(to: file)
    let path = folder.appending(path: name).path
    _ = try Self.run(
      [compiler] + options + ["-fcf-protection=none", "-pthread", "-o", path, file.path])
    return path
  }

  /// Whether a tool is there.
  static func has(_ tool: String) -> Bool {
    (try? run(["sh", "-c", "command -v " + tool])) != nil
  }

  /// Runs a tool and returns what it prints.
  @discardableResult
  static func run(_ command: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = command
    let output = Pipe()
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Failure(description: "\(command) ended with \(process.terminationStatus)")
    }
    return String(decoding: data, as: UTF8.self)
  }
}

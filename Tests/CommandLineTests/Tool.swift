import Foundation

/// Runs the built `probetape` as a user would.
enum Tool {
  /// What one run gave.
  struct Outcome {
    var status: Int32
    var output: String
    var errors: String
  }

  /// The executable, which the package manager builds beside the tests.
  static let path = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    .appending(path: "probetape").path

  /// Runs with the given arguments and waits.
  static func run(_ arguments: String...) throws -> Outcome {
    try run(path, arguments)
  }

  /// Runs a shell command in which `$TOOL` is the executable.
  static func shell(_ command: String) throws -> Outcome {
    try run("/bin/bash", ["-c", "TOOL='\(path)'; " + command])
  }

  private static func run(_ program: String, _ arguments: [String]) throws -> Outcome {
    let process = Process()
    process.executableURL = URL(filePath: program)
    process.arguments = arguments
    process.standardInput = FileHandle.nullDevice
    // Files, not pipes: nobody has to read both at the same time.
    let output = try Scratch.file()
    let errors = try Scratch.file()
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    try process.run()
    process.waitUntilExit()
    defer {
      try? FileManager.default.removeItem(at: output)
      try? FileManager.default.removeItem(at: errors)
    }
    return Outcome(
      status: process.terminationStatus,
      output: String(decoding: try Data(contentsOf: output), as: UTF8.self),
      errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
  }
}

/// Temporary files and folders.
enum Scratch {
  /// A new empty file.
  static func file() throws -> URL {
    let url = FileManager.default.temporaryDirectory
      .appending(path: "probetape-test-\(UUID().uuidString)")
    try Data().write(to: url)
    return url
  }

  /// Calls `body` with a new folder, which is removed afterwards.
  static func withFolder<Value>(_ body: (String) throws -> Value) throws -> Value {
    let url = FileManager.default.temporaryDirectory
      .appending(path: "probetape-test-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: url) }
    return try body(url.path)
  }
}

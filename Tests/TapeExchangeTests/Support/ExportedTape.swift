import Foundation
import Replay
import TapeExchange
import TapeFormat

/// A tape exported into memory.
enum ExportedTape {
  static func bytes(
    _ reader: TapeReader, to format: ExportFormat, weight: FoldedWeight = .calls,
    handler: HandlerChoice = .modelOfTape
  ) throws -> [UInt8] {
    var reader = reader
    let output = MemoryTapeOutput()
    var export = TapeExport(header: reader.header, to: format, weight: weight, output: output)
    let conclusion = try TapeReplay.annotate(&reader, handler: handler) { columns, concluded in
      try export.add(columns, concluded)
    }
    try export.finish(conclusion)
    return output.bytes
  }

  /// A recording of the repository as text.
  static func text(
    _ recording: String, to format: ExportFormat, weight: FoldedWeight = .calls,
    handler: HandlerChoice = .modelOfTape
  ) throws -> String {
    let reader = try TapeReader(path: Fixture.recording(recording))
    return String(
      decoding: try bytes(reader, to: format, weight: weight, handler: handler), as: UTF8.self)
  }

  /// Runs a program and returns what it prints; nil when it fails.
  static func run(_ command: [String], input: [UInt8] = []) throws -> String? {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = command
    let file = FileManager.default.temporaryDirectory.appending(
      path: "probetape-input-\(UUID().uuidString)")
    try Data(input).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    process.standardInput = try FileHandle(forReadingFrom: file)
    let output = Pipe()
    process.standardOutput = output
    process.standardError = FileHandle.nullDevice
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return process.terminationStatus == 0 ? String(decoding: data, as: UTF8.self) : nil
  }

  /// Whether Python has a module; says so when not.
  static func hasPythonModule(_ name: String) -> Bool {
    let answer = (try? run(["python3", "-c", "import \(name)"])) ?? nil
    if answer == nil { print("skipped: python3 has no module \(name) (pip install it)") }
    return answer != nil
  }
}

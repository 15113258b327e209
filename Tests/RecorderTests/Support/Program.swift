import Foundation
import ProbeEvents

/// A C program, compiled for one test into a directory of its own. Immutable once made.
final class Program: Sendable {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  let directory: URL
  let path: String

  /// Compiles a source text.
  init(_ source: String, options: [String] = [], name: String = "program") throws {
    directory = FileManager.default.temporaryDirectory
      .appendingPathComponent("probetape-tests-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    let file = directory.appendingPathComponent("source.c")
    try Data(source.utf8).write(to: file)
    path = directory.appendingPathComponent(name).path
    _ = try Self.run(
      ["cc", "-O1", "-g", "-fcf-protection=none", "-o", path, file.path, "-pthread"] + options)
  }

  deinit {
    try? FileManager.default.removeItem(at: directory)
  }

  /// A probe on a function of the program.
  func probe(_ symbol: String, wantsReturn: Bool = true) throws -> Probe {
    Probe(
      path: path, fileOffset: try Self.fileOffset(of: symbol, in: path), symbol: symbol,
      wantsReturn: wantsReturn)
  }

  /// Where binutils say that a symbol is in the file.
  static func fileOffset(of symbol: String, in path: String) throws -> UInt64 {
    for table in [[], ["-D"]] {
      for line in try run(["nm"] + table + [path]).split(separator: "\n") {
        let fields = line.split(separator: " ")
        guard fields.count == 3, fields[2].split(separator: "@").first.map(String.init) == symbol,
          let address = UInt64(fields[0], radix: 16)
        else { continue }
        return try offset(of: address, in: path)
      }
    }
    throw Failure(description: "no symbol \(symbol) in \(path)")
  }

  private static func offset(of address: UInt64, in path: String) throws -> UInt64 {
    func number(_ text: Substring) -> UInt64 { UInt64(text.dropFirst(2), radix: 16) ?? 0 }
    for line in try run(["readelf", "-lW", path]).split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.first == "LOAD", fields.count > 5 else { continue }
      let start = number(fields[2])
      if address >= start, address - start < number(fields[4]) {
        return address - start + number(fields[1])
      }
    }
    throw Failure(description: "address outside all segments")
  }

  /// Runs a tool and returns what it prints.
  static func run(_ command: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
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

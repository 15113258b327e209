import Foundation
import ProbeEvents
import Testing

@testable import Recorder

/// A directory of its own in which a test builds programs and asks binutils about them.
final class Workshop {
  let directory: String

  struct ToolFailure: Error, CustomStringConvertible {
    let description: String
  }

  init() throws {
    let url = FileManager.default.temporaryDirectory
      .appendingPathComponent("probetape-symbols-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    // The resolver resolves links, so the expected paths must be free of them.
    directory = try #require(FileIdentity.absolutePath(of: url.path))
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  /// The path of a file in the directory.
  func path(_ name: String) -> String { directory + "/" + name }

  /// Writes a file and returns its path.
  @discardableResult
  func write(_ name: String, _ bytes: [UInt8]) throws -> String {
    let url = URL(fileURLWithPath: path(name))
    try FileManager.default.createDirectory(
      at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(bytes).write(to: url)
    return url.path
  }

  @discardableResult
  func write(_ name: String, _ text: String) throws -> String { try write(name, Array(text.utf8)) }

  /// Runs a tool in the directory and returns what it printed.
  @discardableResult
  func run(_ words: String...) throws -> String { try run(words) }

  @discardableResult
  func run(_ words: [String]) throws -> String {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = words
    process.currentDirectoryURL = URL(fileURLWithPath: directory)
    var environment = ProcessInfo.processInfo.environment
    environment["LC_ALL"] = "C"
    process.environment = environment
    let output = Pipe()
    process.standardOutput = output
    let errors = path("stderr")
    _ = FileManager.default.createFile(atPath: errors, contents: nil)
    process.standardError = FileHandle(forWritingAtPath: errors)
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      let message = (try? String(contentsOfFile: errors, encoding: .utf8)) ?? ""
      throw ToolFailure(description: "\(words): status \(process.terminationStatus): \(message)")
    }
    return String(decoding: data, as: UTF8.self)
  }

  /// Compiles one source text; the language comes from the name's ending.
  func build(_ name: String, source: String, as sourceName: String, _ flags: String...) throws
    -> String
  {
    try write(sourceName, source)
    let compiler = sourceName.hasSuffix(".cpp") ? "g++" : "gcc"
    try run([compiler, "-g0", "-o", name, sourceName] + flags)
    return path(name)
  }

  /// A search that knows this directory's debug root and nothing of the machine's.
  func search(debugRoots: [String] = []) -> SymbolSearch {
    var search = SymbolSearch.host()
    search.debugRoots = debugRoots
    return search
  }

  /// A resolver for a command that is not one of the directory's programs' own.
  func resolver(command: [String] = [], defaultPath: String? = nil) -> ProbeResolver {
    ProbeResolver(command: command, defaultPath: defaultPath, search: search())
  }
}

extension ProbeResolver {
  /// Parses and resolves in one step.
  func probes(_ texts: String...) throws -> [String] {
    try resolve(try texts.map { try ProbeSpecification($0) }).map { "\($0.path):\($0.displayName)" }
  }

  /// The one problem that a specification runs into, or nil when it resolves.
  func problem(_ text: String) throws -> ProbeProblem? {
    let specification = try ProbeSpecification(text)
    do {
      _ = try resolve([specification])
      return nil
    } catch {
      return error.failures.first?.problem
    }
  }
}

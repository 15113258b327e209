import Foundation

/// A running program that answers each line it gets with one line.
final class AskedProgram {
  private let process = Process()
  private let input = Pipe()
  private let output = Pipe()

  var identifier: Int32 { process.processIdentifier }

  init(_ path: String) throws {
    process.executableURL = URL(fileURLWithPath: path)
    process.standardInput = input
    process.standardOutput = output
    try process.run()
  }

  /// The numbers of its answer.
  func ask() throws -> [Int] {
    try input.fileHandleForWriting.write(contentsOf: Data("\n".utf8))
    var line: [UInt8] = []
    while let byte = try output.fileHandleForReading.read(upToCount: 1)?.first, byte != 10 {
      line.append(byte)
    }
    return String(decoding: line, as: UTF8.self).split(separator: " ").compactMap { Int($0) }
  }

  deinit {
    try? input.fileHandleForWriting.close()
    process.waitUntilExit()
  }
}

import Foundation
import Testing

/// The map from kernel to model is only worth reading while it is true.
@Suite("Kernel map")
struct KernelMapTests {
  struct Row {
    var room: String
    var kernel: String
    var declarations: [String]
    var since: String
    var tests: [String]
  }

  @Test("every row of the table is whole")
  func shape() throws {
    let rows = try Self.rows()
    #expect(rows.count >= 20)
    for row in rows {
      #expect(row.kernel.contains("/"), "\(row)")
      #expect(row.since.wholeMatch(of: /\d+\.\d+/) != nil, "\(row)")
      #expect(!row.declarations.isEmpty, "\(row)")
      #expect(!row.tests.isEmpty, "\(row)")
    }
  }

  @Test("every Swift name is declared in the row's room")
  func declarations() throws {
    for row in try Self.rows() {
      let room = try Self.text(of: Self.sources.appending(path: row.room))
      for name in row.declarations {
        let declared = try Regex("(func|struct|enum) \(name)\\b")
        #expect(room.contains(declared), "\(row.room) declares no \(name)")
      }
    }
  }

  @Test("every test exists")
  func tests() throws {
    let tests = try Self.text(of: Self.tests, excluding: "KernelMapTests.swift")
    for row in try Self.rows() {
      for sentence in row.tests {
        let used = try Regex(
          "@Test\\(\\s*\"" + NSRegularExpression.escapedPattern(for: sentence) + "\"")
        #expect(tests.contains(used), "there is no test \"\(sentence)\"")
      }
    }
  }

  @Test("every file that cites a kernel function is in a room of the map")
  func rooms() throws {
    let rooms = Set(try Self.rows().map(\.room))
    let files = try Self.swiftFiles(under: Self.sources)
    for file in files where try String(contentsOf: file, encoding: .utf8).contains("/// Kernel:") {
      let folder = file.deletingLastPathComponent().path
      let room = String(folder.dropFirst(Self.sources.path.count + 1))
      #expect(rooms.contains(room), "\(file.lastPathComponent) is in \(room)")
    }
  }

  static let package = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
  static let sources = package.appending(path: "Sources/KernelModel")
  static let tests = package.appending(path: "Tests/KernelModelTests")

  /// The rows of all tables, without their heads.
  static func rows() throws -> [Row] {
    let map = sources.appending(path: "KernelModel.docc/KernelMap.md")
    let lines = try String(contentsOf: map, encoding: .utf8).split(separator: "\n")
    let rows = lines.filter {
      $0.hasPrefix("|") && !$0.hasPrefix("| Room") && !$0.hasPrefix("| ---")
    }
    return try rows.map { line in
      let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      try #require(cells.count == 5, "\(line)")
      return Row(
        room: cells[0], kernel: cells[1],
        declarations: cells[2].matches(of: /`(\w+)`/).map { String($0.output.1) },
        since: cells[3],
        tests: cells[4].matches(of: /"([^"]+)"/).map { String($0.output.1) })
    }
  }

  static func swiftFiles(under folder: URL) throws -> [URL] {
    let files = try #require(
      FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil))
    return files.compactMap { $0 as? URL }.filter { $0.pathExtension == "swift" }
  }

  static func text(of folder: URL, excluding name: String = "") throws -> String {
    try swiftFiles(under: folder).filter { $0.lastPathComponent != name }
      .map { try String(contentsOf: $0, encoding: .utf8) }.joined(separator: "\n")
  }
}

import Foundation
import Testing

/// The rules of the house that no compiler checks.
@Suite struct TidyTests {
  static let top = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// Swift files under Sources, by path from the top.
  static let sources: [String] = {
    let place = top.appending(path: "Sources").path
    let all = (try? FileManager.default.subpathsOfDirectory(atPath: place)) ?? []
    return all.filter { $0.hasSuffix(".swift") }.map { "Sources/" + $0 }.sorted()
  }()

  private func text(_ path: String) throws -> String {
    try String(contentsOf: Self.top.appending(path: path), encoding: .utf8)
  }

  @Test func `there are sources to look at`() {
    #expect(Self.sources.count > 100)
  }

  @Test(arguments: [
    // What is banned, in lines that are code, and what to use instead.
    ("try!", "a typed error"), ("as!", "as? and a typed error"),
    ("fatalError(", "precondition for our mistakes, an error for others'"),
    ("TODO", "an issue"), ("FIXME", "an issue"),
  ])
  func `no source has what the house bans`(banned: String, instead: String) throws {
    for path in Self.sources {
      let hits = try text(path).split(separator: "\n").filter { line in
        line.contains(banned) && !line.drop { $0 == " " }.hasPrefix("//")
      }
      #expect(hits == [], "\(path) has \(banned); use \(instead)")
    }
  }

  @Test func `Foundation stays at the command line`() throws {
    for path in Self.sources where !path.hasPrefix("Sources/probetape/") {
      #expect(!(try text(path)).contains("import Foundation"), "\(path) imports Foundation")
    }
  }

  @Test func `the model imports nothing but the vocabulary`() throws {
    for path in Self.sources where path.hasPrefix("Sources/KernelModel/") {
      let imports = try text(path).split(separator: "\n").filter {
        $0.hasPrefix("import ") || $0.hasPrefix("public import ")
      }
      #expect(imports.allSatisfy { $0.hasSuffix("import ProbeEvents") }, "\(path): \(imports)")
    }
  }

  @Test func `no file is longer than it can be read`() throws {
    for path in Self.sources {
      let lines = try text(path).split(separator: "\n", omittingEmptySubsequences: false).count
      #expect(lines <= 400, "\(path) has \(lines) lines")
    }
  }

  @Test func `the README names every room and every tool`() throws {
    let readme = try text("README.md")
    let rooms = try FileManager.default.contentsOfDirectory(
      atPath: Self.top.appending(path: "Sources").path)
    // The C shims are named by the rooms that use them.
    for room in rooms where !room.hasPrefix("C") {
      #expect(readme.contains("Sources/\(room)"), "README does not name Sources/\(room)")
    }
    for tool in ["tools/demo", "tools/test"] {
      #expect(readme.contains(tool))
    }
  }

  @Test func `every file the README links to is there`() throws {
    let readme = try text("README.md")
    let links = readme.matches(of: /\]\(([^)]+)\)/).map { String($0.1) }
    #expect(links.count >= 2)
    for link in links where !link.hasPrefix("http") {
      #expect(
        FileManager.default.fileExists(atPath: Self.top.appending(path: link).path),
        "README links to \(link)")
    }
  }
}

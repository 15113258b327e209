import Foundation
import Testing

/// The repository's recordings and the programs they were made from.
enum Recordings {
  /// The repository's top folder.
  static let top = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent()

  /// One line of the manifest.
  struct Entry: Sendable, CustomTestStringConvertible {
    var file: String
    var sha256: String
    var program: String
    var kernel: String
    var architecture: String
    var facts: String
    var command: String

    var testDescription: String { file }
    var path: String { top.appending(path: "recordings/" + file).path }
    var twin: String { String(path.dropLast("tape".count)) + "txt" }
    var name: String { String(file.split(separator: "/")[2].dropLast(".tape".count)) }
  }

  /// The manifest. A line that has not seven fields gives none, which the tests notice.
  static let manifest: [Entry] = {
    let url = top.appending(path: "recordings/MANIFEST")
    guard let text = try? String(contentsOf: url, encoding: .utf8) else { return [] }
    return text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line in
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
      guard fields.count == 7 else { return nil }
      return Entry(
        file: fields[0], sha256: fields[1], program: fields[2], kernel: fields[3],
        architecture: fields[4], facts: fields[5], command: fields[6])
    }
  }()

  /// The lines of the manifest whose program is in the repository.
  static let ofOurPrograms = manifest.filter { $0.program.hasPrefix("tools/programs/") }

  /// The text after `KEY: ` in a program's head comment.
  static func field(_ key: String, of program: String) throws -> String? {
    let text = try String(contentsOf: top.appending(path: program), encoding: .utf8)
    let prefix = "// \(key): "
    return text.split(separator: "\n").first { $0.hasPrefix(prefix) }
      .map { String($0.dropFirst(prefix.count)) }
  }
}

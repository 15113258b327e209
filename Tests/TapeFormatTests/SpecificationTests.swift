import ProbeEvents
import Testing

@testable import TapeFormat

/// The tables of the specification against the enumerations in the code.
@Suite struct SpecificationTests {
  private static func specification(from file: String = #filePath) throws -> [Substring] {
    let root = file.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    let source = try TapeSource(
      path: root.joined(separator: "/") + "/Sources/TapeFormat/TapeFormat.docc/TapeFormat.md")
    _ = try source.ensure(1 << 20)
    return String(decoding: source.bytes, as: UTF8.self).split(separator: "\n")
  }

  /// The rows `| number | `code` | ...` of the first table after a line.
  private func rows(after line: String) throws -> [String] {
    let lines = try Self.specification()
    let start = try #require(lines.firstIndex { $0.hasPrefix(line) })
    let table = lines[start...].drop { !$0.hasPrefix("|") }.prefix { $0.hasPrefix("|") }
    return table.dropFirst(2).map { row in
      let cells = row.split(separator: "|").map { $0.filter { $0 != " " && $0 != "`" } }
      return "\(cells[0]) \(cells[1])"
    }
  }

  private func hex(_ number: UInt16) -> String {
    let digits = String(number, radix: 16)
    return "0x" + String(repeating: "0", count: 4 - digits.count) + digits
  }

  @Test func recordsAndGroupsAreTheOnesInTheCode() throws {
    #expect(
      try rows(after: "Kinds of records:")
        == RecordKind.allCases.map { "\(hex($0.rawValue)) \($0)" })
    #expect(
      try rows(after: "Groups:") == RecordGroup.allCases.map { "\(hex($0.rawValue)) \($0)" })
  }

  @Test func fieldsAreTheOnesInTheCode() throws {
    #expect(
      try rows(after: "Header fields:")
        == HeaderField.allCases.sorted { $0.rawValue < $1.rawValue }
        .map { "\($0.rawValue) \($0)" })
    #expect(
      try rows(after: "Trailer fields:")
        == TrailerField.allCases.sorted { $0.rawValue < $1.rawValue }
        .map { "\($0.rawValue) \($0)" })
  }

  @Test func streamsAreTheOnesInTheCode() throws {
    #expect(
      try rows(after: "## Judged group")
        == Streams.Judged.allCases.map { "\($0.rawValue) \($0)" })
    #expect(
      try rows(after: "## Times group") == Streams.Times.allCases.map { "\($0.rawValue) \($0)" })
    #expect(
      try rows(after: "## CPU group") == Streams.CPUs.allCases.map { "\($0.rawValue) \($0)" })
    #expect(
      try rows(after: "## Registers group")
        == Streams.Registers.allCases.map { "\($0.rawValue) \($0)" })
    #expect(
      try rows(after: "## Stacks group") == Streams.Stacks.allCases.map { "\($0.rawValue) \($0)" })
    #expect(
      try rows(after: "| ending | code") == StackEnding.allCases.map { "\($0.rawValue) \($0)" })
  }

  @Test func sideEventsAreTheOnesInTheCode() throws {
    #expect(
      try rows(after: "## Side events") == SideEventKind.allCases.map { "\($0.rawValue) \($0)" })
  }

  @Test func theSalvageTableHasARowForEachRule() throws {
    #expect(try rows(after: "## Salvage").count == SalvageRule.table.count)
  }
}

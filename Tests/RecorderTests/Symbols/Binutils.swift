import Foundation
import Testing

/// What binutils say about a file: the independent judge of our own reading.
struct Binutils {
  let workshop: Workshop
  let path: String

  /// Virtual address and size of each defined function, from `readelf -sW`.
  struct Symbol: Hashable {
    let name: String
    let address: UInt64
    let size: UInt64
    let kind: String
  }

  /// The symbols of a table: `.symtab` or `.dynsym`.
  func symbols(table: String = ".symtab") throws -> [Symbol] {
    let text = try workshop.run("readelf", "-sW", path)
    var isWanted = false
    return text.split(separator: "\n").compactMap { line in
      if line.hasPrefix("Symbol table") {
        isWanted = line.contains("'\(table)'")
        return nil
      }
      let words = line.split(separator: " ")
      // Num: Value Size Type Bind Vis Ndx Name
      guard isWanted, words.count >= 8, words[6] != "UND", let address = UInt64(words[1], radix: 16)
      else { return nil }
      let size =
        words[2].hasPrefix("0x") ? UInt64(words[2].dropFirst(2), radix: 16) : UInt64(words[2])
      return Symbol(
        name: String(words[7]), address: address, size: size ?? 0, kind: String(words[3]))
    }
  }

  /// The address of the one symbol with a name.
  func address(of name: String, table: String = ".symtab") throws -> UInt64 {
    try #require(try symbols(table: table).first { $0.name == name }).address
  }

  /// The file offset of a virtual address, from the `LOAD` lines of `readelf -lW`.
  func fileOffset(of address: UInt64) throws -> UInt64 {
    let text = try workshop.run("readelf", "-lW", path)
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.first == "LOAD", words.count > 5,
        let offset = UInt64(words[1].dropFirst(2), radix: 16),
        let start = UInt64(words[2].dropFirst(2), radix: 16),
        let size = UInt64(words[4].dropFirst(2), radix: 16)
      else { continue }
      if address >= start, address - start < size { return address - start + offset }
    }
    throw Workshop.ToolFailure(description: "no LOAD line holds \(address)")
  }

  /// The file offset of a symbol.
  func fileOffset(ofSymbol name: String, table: String = ".symtab") throws -> UInt64 {
    try fileOffset(of: address(of: name, table: table))
  }

  /// Addresses at which `objdump -d` begins an instruction, between two addresses.
  func instructionStarts(from start: UInt64, to end: UInt64) throws -> [UInt64] {
    let text = try workshop.run(
      "objdump", "-d", "--no-show-raw-insn", "--start-address=\(start)", "--stop-address=\(end)",
      path)
    return text.split(separator: "\n").compactMap { line in
      guard line.first == " ", let colon = line.firstIndex(of: ":") else { return nil }
      return UInt64(line[..<colon].trimmingCharacters(in: .whitespaces), radix: 16)
    }
  }

  /// The build id as `readelf -n` prints it; nil for none.
  func buildID() throws -> String? {
    let text = try workshop.run("readelf", "-n", path)
    let line = text.split(separator: "\n").first { $0.contains("Build ID: ") }
    return line?.split(separator: " ").last.map(String.init)
  }

  /// The bytes of the file at an offset.
  func bytes(at offset: UInt64, count: Int) throws -> [UInt8] {
    let data = try Data(contentsOf: URL(fileURLWithPath: path))
    return Array(data[Int(offset)..<min(data.count, Int(offset) + count)])
  }
}

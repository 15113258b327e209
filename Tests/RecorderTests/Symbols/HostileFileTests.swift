import ProbeEvents
import Testing

@testable import Recorder

@Suite("Damaged ELF files")
struct HostileFileTests {
  /// Reads everything we ever read of a file; throwing is fine, trapping is not.
  static func readAll(_ bytes: [UInt8]) throws {
    let file = try ELFFile(bytes: bytes)
    #expect(file.size == UInt64(bytes.count))
    #expect(file.buildID.count <= 64)
    _ = file.debugLink
    #expect(file.tracepoints().count <= 1)
    for entry in file.unwindEntries() { _ = file.length(of: entry) }
    let dynamic = file.dynamic()
    #expect(dynamic.needed.count <= 1024)
    let table = try SymbolTable(of: file)
    for symbol in table.functions {
      if let offset = file.fileOffset(of: symbol.address) {
        _ = file.bytes(at: offset, upTo: 64)
      }
      _ = table.function(containing: symbol.address &+ 1)
    }
  }

  /// Two functions and a tracepoint.
  static let source = """
    #include "usdt.h"
    USDT_SEMAPHORE(a, b);
    int f(int n) { USDT(a, b, after); return n; }
    int g(int n) { return f(n) + 1; }
    """

  static func small(_ workshop: Workshop) throws -> [UInt8] {
    try workshop.write("v.map", "V1 { global: f; g; local: *; };")
    let path = try workshop.build(
      "lib.so", source: source, as: "l.c",
      "-shared", "-fPIC", "-nostdlib", "-Wl,--version-script=v.map", "-Wl,-z,noseparate-code",
      "-Wl,--build-id=sha1", "-Wl,-rpath,/a:/b", "-I", TracepointTests.programs)
    try workshop.run("objcopy", "--add-gnu-debuglink=l.c", path)
    return try #require(SmallFile.contents(of: path, limit: 1 << 20))
  }

  @Test("cut at every place, a file is read or refused, never a trap")
  func truncation() throws {
    let bytes = try Self.small(Workshop())
    try Self.readAll(bytes)
    #expect(try ELFFile(bytes: bytes).tracepoints().map(\.displayName) == ["a:b"])
    for length in stride(from: 0, to: bytes.count, by: 7) {
      try? Self.readAll(Array(bytes[..<length]))
    }
  }

  @Test("with any byte changed, a file is read or refused, never a trap")
  func changedBytes() throws {
    let bytes = try Self.small(Workshop())
    for index in bytes.indices {
      // Headers and tables are at both ends; between them every fifth byte will do.
      let isTable = index < 0x300 || index > bytes.count - 0x700
      guard isTable || index.isMultiple(of: 5) else { continue }
      for value in [0x00, 0xff, bytes[index] ^ 0x01, bytes[index] ^ 0x80] as [UInt8] {
        guard value != bytes[index] else { continue }
        var changed = bytes
        changed[index] = value
        try? Self.readAll(changed)
      }
    }
  }

  @Test("with many bytes changed at random, a file is read or refused, never a trap")
  func randomDamage() throws {
    let bytes = try Self.small(Workshop())
    var generator = SplitMix(state: 0x5eed)
    for _ in 0..<1500 {
      var changed = bytes
      for _ in 0..<Int.random(in: 1...12, using: &generator) {
        let index = Int.random(in: 0..<bytes.count, using: &generator)
        changed[index] = UInt8.random(in: 0...255, using: &generator)
      }
      try? Self.readAll(changed)
    }
  }

  @Test("damaged on a disk, a program leads to probes or a problem, never a trap")
  func resolution() throws {
    let workshop = try Workshop()
    let bytes = try Self.small(workshop)
    var generator = SplitMix(state: 0xd15c)
    let path = workshop.path("damaged")
    var search = workshop.search()
    // Nothing is looked up by name here, and reading the loader's cache takes most of the time.
    search.libraryCache = ""
    let resolver = ProbeResolver(command: [], defaultPath: path, search: search)
    for round in 0..<200 {
      var changed = bytes
      if round.isMultiple(of: 4) {
        changed.removeLast(Int.random(in: 1..<bytes.count, using: &generator))
      }
      for _ in 0..<4 where !changed.isEmpty {
        let index = Int.random(in: 0..<changed.count, using: &generator)
        changed[index] = UInt8.random(in: 0...255, using: &generator)
      }
      try workshop.write("damaged", changed)
      for text in ["f", "g+4", "f*", "0x300"] {
        if let problem = try resolver.problem(text) { #expect(!problem.description.isEmpty) }
      }
    }
  }

  @Test("a program cut inside its code is called damaged, not stripped")
  func cutProgram() throws {
    let workshop = try Workshop()
    let path = try workshop.build("p", source: "int main(void) { return 0; }", as: "p.c")
    let offset = try Binutils(workshop: workshop, path: path).fileOffset(ofSymbol: "main")
    try workshop.run("truncate", "-s", "\(offset)", "p")
    guard case .file(path, .damaged)? = try workshop.resolver(defaultPath: path).problem("main")
    else {
      Issue.record("a program without its code was accepted")
      return
    }
  }

  @Test("many symbols that share one endless name are refused before they fill the memory")
  func sharedLongName() throws {
    let workshop = try Workshop()
    var bytes = TargetKindTests.header(type: 3)
    let symbolCount = 40_000
    let names: [UInt8] = [0] + [UInt8](repeating: 0x61, count: 60_000) + [0]
    let symbolsAt = 64
    let namesAt = symbolsAt + symbolCount * 24
    let sectionsAt = namesAt + names.count
    for index in 0..<symbolCount {
      bytes += Self.number(1, 4) + [0x12, 0] + Self.number(1, 2)
      bytes += Self.number(UInt64(index), 8) + Self.number(1, 8)
    }
    bytes += names
    bytes += [UInt8](repeating: 0, count: 64)
    bytes += Self.section(type: 2, offset: symbolsAt, size: symbolCount * 24, link: 2, entry: 24)
    bytes += Self.section(type: 3, offset: namesAt, size: names.count, link: 0, entry: 0)
    bytes.replaceSubrange(40..<48, with: Self.number(UInt64(sectionsAt), 8))
    bytes.replaceSubrange(60..<62, with: Self.number(3, 2))
    try workshop.write("names", bytes)
    #expect(throws: ELFError.damaged("the symbol names")) {
      try SymbolTable(of: ELFFile(path: workshop.path("names")))
    }
  }

  private static func number(_ value: UInt64, _ width: Int) -> [UInt8] {
    (0..<width).map { UInt8(truncatingIfNeeded: value >> (8 * UInt64($0))) }
  }

  private static func section(
    type: UInt64, offset: Int, size: Int, link: UInt64, entry: UInt64
  ) -> [UInt8] {
    number(0, 4) + number(type, 4) + number(0, 16) + number(UInt64(offset), 8)
      + number(UInt64(size), 8) + number(link, 4) + number(0, 4) + number(1, 8) + number(entry, 8)
  }
}

/// A small generator with a fixed seed, so that a failure can be repeated.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var value = state
    value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
    return value ^ (value >> 31)
  }
}

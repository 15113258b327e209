import Foundation
import ProbeEvents
import Testing

@testable import Recorder

/// Tracepoints that programs carry (USDT), where readelf and nm see them.
@Suite("Tracepoints of programs")
struct TracepointTests {
  /// Where `usdt.h` is.
  static let programs = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "tools/programs").path

  static let source = """
    #include "usdt.h"
    USDT_SEMAPHORE(mine, start);
    USDT_SEMAPHORE(other, start);
    __attribute__((noipa)) void f(void) { USDT(mine, start, one); }
    __attribute__((noipa)) void g(void) { USDT(mine, start, two); USDT(other, start, three); }
    int main(void) { f(); g(); return 0; }
    """

  private func build(_ workshop: Workshop, _ source: String = source) throws -> String {
    try workshop.build("p", source: source, as: "p.c", "-O1", "-I", Self.programs)
  }

  @Test("a name means all its places, each with its semaphore, as nm has them")
  func places() throws {
    let workshop = try Workshop()
    let judge = Binutils(workshop: workshop, path: try build(workshop))
    let probes = try workshop.resolver().resolve([
      ProbeSpecification("usdt:\(judge.path):mine:start")
    ])
    // The place of its own is one byte, a nop, behind each tracepoint.
    let expected = try ["p_one", "p_two"].map { try judge.fileOffset(ofSymbol: $0) - 1 }
    #expect(probes.map(\.fileOffset) == expected)
    let counter = try judge.fileOffset(ofSymbol: "mine_start_semaphore")
    #expect(probes.map(\.referenceCounter) == [counter, counter])
    #expect(probes.map(\.displayName) == ["mine:start", "mine:start"])
    #expect(probes.map(\.wantsReturn) == [false, false])
    let notes = try workshop.run("readelf", "-nW", judge.path)
    #expect(notes.components(separatedBy: "Provider: mine").count == 3)
  }

  @Test("without a provider, or with a star, several names are meant")
  func severalNames() throws {
    let workshop = try Workshop()
    let path = try build(workshop)
    for text in ["usdt:\(path):start", "usdt:\(path):*:st*"] {
      #expect(
        try workshop.resolver().probes(text)
          == ["mine:start", "mine:start", "other:start"].map { "\(path):\($0)" })
    }
  }

  @Test("a file that was moved after linking says by how much, and all addresses move along")
  func moved() throws {
    let workshop = try Workshop()
    let path = try build(
      workshop,
      """
      #include "usdt.h"
      USDT_SEMAPHORE(mine, start);
      __asm__(".pushsection .stapsdt.base, \\"a\\"\\nbase: .space 1\\n.popsection\\n"
              ".globl place\\n.type place, @function\\nplace: nop\\nret\\n"
              ".pushsection .note.stapsdt, \\"\\", \\"note\\"\\n.balign 4\\n"
              ".4byte 8, 36, 3\\n.asciz \\"stapsdt\\"\\n"
              ".8byte place - 0x5000, base - 0x5000, mine_start_semaphore - 0x5000\\n"
              ".asciz \\"mine\\"\\n.asciz \\"start\\"\\n.asciz \\"\\"\\n.popsection\\n");
      int main(void) { return 0; }
      """)
    let judge = Binutils(workshop: workshop, path: path)
    let probes = try workshop.resolver().resolve([ProbeSpecification("usdt:\(path):mine:start")])
    #expect(probes.map(\.fileOffset) == [try judge.fileOffset(ofSymbol: "place")])
    #expect(
      probes.map(\.referenceCounter) == [try judge.fileOffset(ofSymbol: "mine_start_semaphore")])
  }

  @Test("a pattern leaves out what cannot be probed and says so, a name does not")
  func unprobeable() throws {
    let workshop = try Workshop()
    // Nothing can be executed at address 0.
    let path = try build(
      workshop,
      Self.source + "\n" + #"""
        __asm__(".pushsection .note.stapsdt, \"\", \"note\"\n.balign 4\n"
                ".4byte 8, 34, 3\n.asciz \"stapsdt\"\n.8byte 0, 0, 0\n"
                ".asciz \"mine\"\n.asciz \"bad\"\n.asciz \"\"\n.balign 4\n.popsection\n");
        """#)
    #expect(try workshop.run("readelf", "-nW", path).contains("Name: bad"))
    let found = try workshop.resolver().resolution(of: [ProbeSpecification("usdt:\(path):mine:*")])
    #expect(found.probes.map(\.displayName) == ["mine:start", "mine:start"])
    #expect(found.notes.contains { $0.contains("cannot be probed: mine:bad") })
    #expect(
      try workshop.resolver().problem("usdt:\(path):mine:bad")
        == .place(.symbolNotExecutable(path: path, symbol: "mine:bad")))
    #expect(
      try workshop.resolver().problem("usdt:\(path):mine:b*")
        == .wildcardMatchesNothing(path: path, pattern: "mine:b*"))
  }

  @Test("an unknown name is refused with those there are")
  func unknown() throws {
    let workshop = try Workshop()
    let path = try build(workshop)
    #expect(
      try workshop.resolver().problem("usdt:\(path):mine:end")
        == .unknownTracepoint(
          path: path, name: "mine:end", others: ["mine:start", "other:start"]))
    let plain = try workshop.build("q", source: "int main(void) { return 0; }", as: "q.c")
    #expect(
      try workshop.resolver().problem("usdt:\(plain):a")
        == .unknownTracepoint(path: plain, name: "a", others: []))
  }

  @Test("a counter is refused at an odd offset, and where no process could write it")
  func badCounters() throws {
    let workshop = try Workshop()
    let judge = Binutils(workshop: workshop, path: try build(workshop))
    let path = judge.path
    let place = try judge.fileOffset(ofSymbol: "p_one")
    let counter = try judge.fileOffset(ofSymbol: "mine_start_semaphore")
    func problem(_ counter: UInt64) throws -> ProbeProblem? {
      try workshop.resolver().problem("uprobe:\(path):\(place)(\(counter))")
    }
    func hex(_ number: UInt64) -> String { "0x" + String(number, radix: 16) }
    #expect(try problem(counter) == nil)
    #expect(try problem(counter + 1) == .place(.misalignedCounter(hex(counter + 1))))
    let code = place & ~1
    #expect(
      try problem(code) == .place(.counterNotWritable(path: path, counter: hex(code))))
    #expect(
      try problem(1 << 40)
        == .place(.counterNotWritable(path: path, counter: hex(1 << 40))))
  }

  @Test("one place with two counters is refused, whichever comes first")
  func conflict() throws {
    let workshop = try Workshop()
    let judge = Binutils(workshop: workshop, path: try build(workshop))
    let place = try judge.fileOffset(ofSymbol: "p_one") - 1
    let counter = try judge.fileOffset(ofSymbol: "mine_start_semaphore")
    let other = try judge.fileOffset(ofSymbol: "other_start_semaphore")
    let tracepoint = "usdt:\(judge.path):mine:start"
    let plain = "uprobe:\(judge.path):\(place)"
    func problem(_ texts: [String]) throws -> ProbeProblem? {
      let specifications = try texts.map { try ProbeSpecification($0) }
      do {
        _ = try workshop.resolver().resolve(specifications)
        return nil
      } catch {
        return error.failures.first?.problem
      }
    }
    let name = "0x" + String(place, radix: 16)
    #expect(try problem([tracepoint, plain + "(\(counter))"]) == nil)
    #expect(
      try problem([tracepoint, plain])
        == .conflictingCounters(place: "mine:start", counter, 0))
    #expect(
      try problem([plain, tracepoint]) == .conflictingCounters(place: name, 0, counter))
    #expect(
      try problem([plain + "(\(other))", tracepoint])
        == .conflictingCounters(place: name, other, counter))
  }
}

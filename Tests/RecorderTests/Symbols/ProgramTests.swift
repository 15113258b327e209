import ProbeEvents
import Testing

@testable import Recorder

@Suite("Probes in programs built here")
struct ProgramTests {
  static let source = """
    #include <stdio.h>
    __attribute__((noinline)) int work(int n) { return n * 3 + (n >> 1); }
    extern int other(int) __attribute__((alias("work")));
    static __attribute__((noinline)) int local(int n) { return work(n) + 1; }
    int variable = 4;
    int main(int argc, char **argv) { printf("%d", local(argc)); return 0; }
    """

  @Test(
    "a function's file offset is binutils', whatever way the program is linked",
    arguments: [
      ["-pie", "-fPIE"], ["-no-pie", "-fno-pie"], ["-static"], ["-Wl,-z,separate-code"],
      ["-Wl,-z,noseparate-code"], ["-no-pie", "-Wl,-Ttext-segment=0x10000000"], ["-static-pie"],
      ["-no-pie", "-Wl,--section-start=.text=0x7654000"], ["-O2"],
    ])
  func fileOffsets(flags: [String]) throws {
    let workshop = try Workshop()
    try workshop.write("p.c", Self.source)
    try workshop.run(["gcc", "-o", "p", "p.c"] + flags)
    let judge = Binutils(workshop: workshop, path: workshop.path("p"))
    for name in ["work", "main", "local"] {
      let probes = try workshop.resolver().resolve([
        ProbeSpecification("uprobe:\(judge.path):\(name)")
      ])
      let expected = try judge.fileOffset(ofSymbol: name)
      #expect(probes.map(\.fileOffset) == [expected])
      #expect(probes.first?.path == judge.path)
      #expect(probes.first?.originalBytes == (try judge.bytes(at: expected, count: 16)))
    }
  }

  @Test("the offset in the file is not the virtual address where a segment is shifted")
  func shiftedSegment() throws {
    let workshop = try Workshop()
    let path = try workshop.build(
      "p", source: Self.source, as: "p.c", "-no-pie", "-Wl,--section-start=.text=0x7654000")
    let judge = Binutils(workshop: workshop, path: path)
    let probe = try #require(
      try workshop.resolver().resolve([ProbeSpecification("uprobe:\(path):work")]).first)
    #expect(probe.fileOffset != (try judge.address(of: "work")))
    #expect(probe.fileOffset == (try judge.fileOffset(ofSymbol: "work")))
  }

  @Test("aliases, links and repeated specifications are one probe, with returns if any wants them")
  func oneLocation() throws {
    let workshop = try Workshop()
    let path = try workshop.build("p", source: Self.source, as: "p.c")
    try workshop.run("ln", "-s", "p", "link")
    try workshop.run("ln", "p", "hard")
    let offset = try Binutils(workshop: workshop, path: path).fileOffset(ofSymbol: "work")
    let resolver = workshop.resolver(command: [path])
    let probes = try resolver.resolve(
      [
        "uprobe:\(path):work", "uprobe:\(workshop.path("link")):other",
        "u:\(workshop.path("hard")):0x\(String(offset, radix: 16))", "main", "work%return",
      ].map { try ProbeSpecification($0) })
    #expect(probes.map(\.symbol) == ["work", "main"])
    #expect(probes.map(\.wantsReturn) == [true, false])
    #expect(probes.map(\.path) == [path, path])
  }

  @Test("every distance is accepted exactly where objdump begins an instruction")
  func boundaries() throws {
    let workshop = try Workshop()
    let path = try workshop.build("p", source: Self.source, as: "p.c")
    let judge = Binutils(workshop: workshop, path: path)
    let main = try #require(try judge.symbols().first { $0.name == "main" })
    let starts = Set(
      try judge.instructionStarts(from: main.address, to: main.address + main.size))
    #expect(starts.count > 5)
    let resolver = workshop.resolver(command: [path])
    for distance in 0..<main.size {
      let problem = try resolver.problem("main+\(distance)")
      if starts.contains(main.address + distance) {
        #expect(problem == nil)
      } else {
        let before = try #require(starts.filter { $0 < main.address + distance }.max())
        let after = starts.filter { $0 > main.address + distance }.min() ?? main.address + main.size
        #expect(
          problem
            == .place(
              .insideInstruction(
                symbol: "main", offset: distance, before: before - main.address,
                after: after - main.address)))
      }
    }
    #expect(
      try resolver.problem("main+\(main.size)")
        == .place(.offsetBeyondFunction(symbol: "main", offset: main.size, size: main.size)))
  }

  @Test("a bare offset is held against the function around it, also without symbols")
  func bareOffsets() throws {
    let workshop = try Workshop()
    let path = try workshop.build("p", source: Self.source, as: "p.c")
    let judge = Binutils(workshop: workshop, path: path)
    let main = try #require(try judge.symbols().first { $0.name == "main" })
    let offset = try judge.fileOffset(of: main.address)
    let starts = try judge.instructionStarts(from: main.address, to: main.address + main.size)
    let second = starts[1] - main.address
    try workshop.run("strip", "-o", "stripped", "p")
    for file in [path, workshop.path("stripped")] {
      let resolver = workshop.resolver(defaultPath: file)
      #expect(try resolver.problem("\(offset + second)") == nil)
      #expect(try resolver.problem("uretprobe:\(file):\(offset)") == nil)
      guard
        case .place(.returnOffFunctionStart)? = try resolver.problem("\(offset + second)%return")
      else {
        Issue.record("a return probe inside main was accepted in \(file)")
        continue
      }
      guard case .place(.insideInstruction)? = try resolver.problem("\(offset + second + 1)") else {
        Issue.record("an offset inside an instruction was accepted in \(file)")
        continue
      }
    }
  }

  @Test("an offset outside the executable segment is refused, an address is told from an offset")
  func notExecutable() throws {
    let workshop = try Workshop()
    let path = try workshop.build("p", source: Self.source, as: "p.c", "-no-pie", "-fno-pie")
    let address = try Binutils(workshop: workshop, path: path).address(of: "main")
    let resolver = workshop.resolver(command: [path])
    for offset in [0, address, UInt64.max] {
      #expect(
        try resolver.problem("0x\(String(offset, radix: 16))")
          == .place(.notExecutable(path: path, offset: offset)))
    }
  }

  @Test("a return probe needs a function's start that is called")
  func returnPlaces() throws {
    let workshop = try Workshop()
    let path = try workshop.build("p", source: Self.source, as: "p.c")
    let starts = Binutils(workshop: workshop, path: path)
    let main = try #require(try starts.symbols().first { $0.name == "main" })
    let second = try starts.instructionStarts(from: main.address, to: main.address + main.size)[1]
    let resolver = workshop.resolver(command: [path])
    #expect(
      try resolver.problem("main+\(second - main.address)%return")
        == .place(
          .returnOffFunctionStart(
            place: "main+0x\(String(second - main.address, radix: 16))", function: "main")))
    #expect(try resolver.problem("main+0%return") == nil)
    guard case .place(.returnWithoutCall("_start", _))? = try resolver.problem("_start%return")
    else {
      Issue.record("a return probe on the entry point was accepted")
      return
    }
    #expect(try resolver.problem("_start") == nil)
  }

  @Test("static functions of one name in two files are all probed, and the user is told")
  func duplicateLocals() throws {
    let workshop = try Workshop()
    let twin = "static __attribute__((noinline)) int twin(int n) { return n + %; }"
    try workshop.write(
      "a.c", twin.replacing("%", with: "1") + "int a(int n) { return twin(n); }")
    try workshop.write(
      "b.c",
      twin.replacing("%", with: "2")
        + "int a(int); int main(int c, char **v) { return twin(a(c)); }")
    try workshop.run("gcc", "-o", "p", "a.c", "b.c")
    let judge = Binutils(workshop: workshop, path: workshop.path("p"))
    let expected = try judge.symbols().filter { $0.name == "twin" }.map {
      try judge.fileOffset(of: $0.address)
    }
    let resolution = try workshop.resolver(command: [judge.path]).resolution(
      of: [ProbeSpecification("twin")])
    #expect(expected.count == 2)
    #expect(resolution.probes.map(\.fileOffset) == expected.sorted())
    #expect(resolution.notes == ["twin: 2 functions of that name, all are probed"])
  }

  @Test(
    "an unknown name is answered with near ones, a variable with its kind, an import with its library"
  )
  func unknownNames() throws {
    let workshop = try Workshop()
    let path = try workshop.build("p", source: Self.source, as: "p.c")
    let resolver = workshop.resolver(command: [path])
    #expect(
      try resolver.problem("wrok")
        == .unknownSymbol(path: path, symbol: "wrok", near: ["work"], hint: .none))
    #expect(try resolver.problem("variable") == .notAFunction(path: path, symbol: "variable"))
    #expect(
      try resolver.problem("printf")
        == .unknownSymbol(
          path: path, symbol: "printf", near: [], hint: .imported(library: "libc.so.6")))
  }

  @Test("a pattern takes all that fit and can be probed, and no more than the limit")
  func patterns() throws {
    let workshop = try Workshop()
    let functions = (0..<20).map { "int step\($0)(int n) { return n + \($0); }" }
    let path = try workshop.build(
      "p", source: functions.joined() + "int main(void) { return 0; }", as: "p.c")
    let judge = Binutils(workshop: workshop, path: path)
    let expected = try judge.symbols().filter { $0.name.hasPrefix("step1") }
      .map { try judge.fileOffset(of: $0.address) }.sorted()
    let resolver = workshop.resolver(command: [path])
    #expect(expected.count == 11)
    #expect(
      try resolver.resolve([ProbeSpecification("step1*")]).map(\.fileOffset) == expected)
    #expect(
      try resolver.problem("jump*") == .wildcardMatchesNothing(path: path, pattern: "jump*"))
    let tight = ProbeResolver(command: [path], search: workshop.search(), wildcardLimit: 10)
    #expect(
      try tight.problem("step1*")
        == .wildcardMatchesTooMuch(path: path, pattern: "step1*", count: 11, limit: 10))
    let all = try resolver.resolution(of: [ProbeSpecification("*%return")])
    #expect(!all.probes.contains { $0.symbol == "_start" })
    #expect(all.notes.contains { $0.contains("_start") })
  }

  @Test("all errors of one run are reported together, in order")
  func allErrors() throws {
    let workshop = try Workshop()
    let path = try workshop.build("p", source: Self.source, as: "p.c")
    let specifications = try ["nosuch1", "main", "uprobe:/no/such/file:f"].map {
      try ProbeSpecification($0)
    }
    do {
      _ = try workshop.resolver(command: [path]).resolve(specifications)
      Issue.record("unknown symbols were resolved")
    } catch {
      #expect(error.failures.map(\.specification) == ["nosuch1", "uprobe:/no/such/file:f"])
      #expect(error.failures.last?.problem == .file(path: "/no/such/file", .missing))
      #expect(error.description.split(separator: "\n").count == 2)
    }
  }

  @Test("an instruction with a lock prefix is refused, as the kernel does")
  func lockPrefix() throws {
    let workshop = try Workshop()
    let path = try workshop.build(
      "p",
      source: """
        int n;
        void locked(void) { __asm__ volatile("lock incl n(%rip)"); }
        int main(void) { locked(); return 0; }
        """, as: "p.c", "-O1", "-fomit-frame-pointer", "-fcf-protection=none")
    #expect(
      try workshop.resolver(command: [path]).problem("locked")
        == .place(.refusedInstruction(place: "locked", reason: "it has a lock prefix")))
  }

  @Test("GCC's clones are found only with their suffix, and its cold parts take no return probe")
  func clones() throws {
    let workshop = try Workshop()
    let path = try workshop.build(
      "p",
      source: """
        #include <stdlib.h>
        #include <stdio.h>
        __attribute__((cold, noinline)) void fail(int n) { printf("%d", n); exit(1); }
        __attribute__((noinline)) int hot(int n) {
          if (__builtin_expect(n == 77, 0)) { fail(n); fail(n + 1); }
          return n * 5;
        }
        int main(int c, char **v) { return hot(c); }
        """, as: "p.c", "-O2")
    let judge = Binutils(workshop: workshop, path: path)
    try #require(try judge.symbols().contains { $0.name == "hot.cold" })
    let resolver = workshop.resolver(command: [path])
    #expect(
      try resolver.resolve([ProbeSpecification("hot")]).map(\.fileOffset)
        == [try judge.fileOffset(ofSymbol: "hot")])
    #expect(
      try resolver.resolve([ProbeSpecification("hot.cold")]).map(\.fileOffset)
        == [try judge.fileOffset(ofSymbol: "hot.cold")])
    #expect(try resolver.resolve([ProbeSpecification("hot*")]).count == 2)
    #expect(try resolver.resolve([ProbeSpecification("hot*%return")]).map(\.symbol) == ["hot"])
    guard case .place(.returnWithoutCall("hot.cold", _))? = try resolver.problem("hot.cold%return")
    else {
      Issue.record("a return probe on a cold part was accepted")
      return
    }
  }
}

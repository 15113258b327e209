import Foundation
import ProbeEvents
import Testing

@testable import Recorder

@Suite("arm64 files on any machine")
struct ForeignArchitectureTests {
  /// Whether the compiler and linker that come with Swift can make an arm64 program.
  static let canBuild: Bool = {
    guard let workshop = try? Workshop(),
      (try? workshop.write("p.c", "void _start(void) {}")) != nil
    else { return false }
    return (try? workshop.run(compiler + ["-o", "p", "p.c"])) != nil
  }()

  static let compiler = [
    "clang", "--target=aarch64-linux-gnu", "-nostdlib", "-static", "-fuse-ld=lld", "-O1",
  ]

  @Test(
    "functions, boundaries and data between instructions are found in an arm64 program",
    .enabled(if: canBuild, "needs a clang and lld that make arm64 programs"))
  func program() throws {
    let workshop = try Workshop()
    try workshop.write(
      "p.c",
      """
      __attribute__((noinline)) int work(int n) { return n * 3 + (n >> 1); }
      void mixed(void);
      __asm__(".text\\n.type mixed,%function\\nmixed: b 1f\\n.word 0xffffffff\\n1: ret\\n"
              ".size mixed, . - mixed\\n"
              ".type locked,%function\\nlocked: ldxr w0, [x1]\\nret\\n.size locked, . - locked");
      void _start(void) { mixed(); work(4); }
      """)
    try workshop.run(Self.compiler + ["-o", "p", "p.c"])
    let judge = Binutils(workshop: workshop, path: workshop.path("p"))
    var search = workshop.search()
    search.architecture = .aarch64
    let resolver = ProbeResolver(command: [], defaultPath: judge.path, search: search)
    let probes = try resolver.resolve([
      ProbeSpecification("work%return"), ProbeSpecification("mixed+8"),
    ])
    #expect(
      probes.map(\.fileOffset) == [
        try judge.fileOffset(ofSymbol: "work"), try judge.fileOffset(ofSymbol: "mixed") + 8,
      ])
    #expect(
      probes.map(\.originalBytes)
        == (try probes.map { try judge.bytes(at: $0.fileOffset, count: 16) }))
    #expect(
      try resolver.problem("work+2")
        == .place(.insideInstruction(symbol: "work", offset: 2, before: 0, after: 4)))
    #expect(
      try resolver.problem("mixed+4")
        == .place(.undecodable(symbol: "mixed", offset: 4, at: 4)))
    guard case .place(.refusedInstruction)? = try resolver.problem("locked") else {
      Issue.record("an exclusive load was accepted")
      return
    }
    search.architecture = .x86_64
    #expect(
      try ProbeResolver(command: [], defaultPath: judge.path, search: search).problem("work")
        == .wrongArchitecture(path: judge.path, found: "aarch64", expected: "x86_64"))
  }
}

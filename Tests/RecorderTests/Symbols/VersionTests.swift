import ProbeEvents
import Testing

@testable import Recorder

@Suite("Symbol versions and indirect functions")
struct VersionTests {
  /// A library with an old and a default version of one function, and one only in old versions.
  static func library(_ workshop: Workshop, _ flags: String...) throws -> Binutils {
    try workshop.write("v.map", "V1 { global: grow; gone; local: *; }; V2 { global: grow; } V1;")
    try workshop.write(
      "v.c",
      """
      __asm__(".symver grow_old, grow@V1");
      __asm__(".symver grow_new, grow@@V2");
      __asm__(".symver gone_old, gone@V1");
      int grow_old(int n) { return n + 1; }
      int grow_new(int n) { return n + 2; }
      int gone_old(int n) { return n + 3; }
      """)
    try workshop.run(
      ["gcc", "-shared", "-fPIC", "-o", "libv.so", "v.c", "-Wl,--version-script=v.map"] + flags)
    return Binutils(workshop: workshop, path: workshop.path("libv.so"))
  }

  @Test(
    "a version picks its symbol and none picks the default one, also when stripped",
    arguments: [[], ["-s"]])
  func versions(flags: [String]) throws {
    let workshop = try Workshop()
    let judge = try Self.library(workshop)
    if flags == ["-s"] { try workshop.run("strip", "libv.so") }
    let resolver = workshop.resolver(defaultPath: judge.path)
    for (text, listed) in [
      ("grow", "grow@@V2"), ("grow@@V2", "grow@@V2"), ("grow@V2", "grow@@V2"),
      ("grow@V1", "grow@V1"), ("gone@V1", "gone@V1"),
    ] {
      let probes = try resolver.resolve([ProbeSpecification(text)])
      let expected = try judge.fileOffset(ofSymbol: listed, table: ".dynsym")
      #expect(probes.map(\.fileOffset) == [expected])
      #expect(probes.first?.symbol == (listed.contains("@@") ? "grow" : listed))
    }
  }

  @Test("an unknown version, or none where there is no default, is answered with the known ones")
  func otherVersions() throws {
    let workshop = try Workshop()
    let path = try Self.library(workshop).path
    let resolver = workshop.resolver(defaultPath: path)
    for text in ["grow@V3", "grow@@V1"] {
      #expect(
        try resolver.problem(text)
          == .otherVersions(path: path, symbol: text, versions: ["grow@@V2", "grow@V1"]))
    }
    #expect(
      try resolver.problem("gone")
        == .otherVersions(path: path, symbol: "gone", versions: ["gone@V1"]))
  }

  @Test("an indirect function is refused, and the implementations its resolver loads are named")
  func indirect() throws {
    let workshop = try Workshop()
    let path = try workshop.build(
      "p",
      source: """
        static int fast(int n) { return n + 1; }
        static int slow(int n) { return n + 2; }
        int wide;
        static int (*choose(void))(int) { return __builtin_cpu_supports("avx2") ? fast : slow; }
        int pick(int n) __attribute__((ifunc("choose")));
        int main(int c, char **v) { return pick(c); }
        """, as: "p.c")
    try #require(
      try Binutils(workshop: workshop, path: path).symbols().contains {
        $0.name == "pick" && $0.kind == "IFUNC"
      })
    let resolver = workshop.resolver(command: [path])
    #expect(
      try resolver.problem("pick")
        == .indirectFunction(path: path, symbol: "pick", implementations: ["fast", "slow"]))
    #expect(try resolver.problem("fast") == nil)
  }
}

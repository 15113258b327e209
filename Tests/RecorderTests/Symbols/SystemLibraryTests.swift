import ProbeEvents
import Testing

@testable import Recorder

@Suite("Probes in this machine's own libraries")
struct SystemLibraryTests {
  @Test(
    "malloc in libc is where readelf sees it, however the library is named",
    arguments: ["libc", "c", "libc.so.6"])
  func mallocInLibc(name: String) throws {
    let workshop = try Workshop()
    let program = try workshop.build("p", source: "int main(void) { return 0; }", as: "p.c")
    let probes = try ProbeResolver(command: [program]).resolve([
      try ProbeSpecification("uretprobe:\(name):malloc")
    ])
    let probe = try #require(probes.first)
    let judge = Binutils(workshop: workshop, path: probe.path)
    let symbol = try #require(
      try judge.symbols(table: ".dynsym").first { $0.name.hasPrefix("malloc@@") })
    #expect(probes.count == 1)
    #expect(probe.fileOffset == (try judge.fileOffset(of: symbol.address)))
    #expect(probe.symbol == "malloc")
    #expect(probe.wantsReturn)
    #expect(
      probe.buildID.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        == (try judge.buildID()))
    #expect(probe.originalBytes == (try judge.bytes(at: probe.fileOffset, count: 16)))
    #expect(try workshop.run("ldd", program).contains(" => "))
    #expect(probe.path.hasSuffix("/libc.so.6"))
  }
}

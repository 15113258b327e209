import KernelModel
import ProbeEvents
import Testing

@Suite("Blacklist of kprobes")
struct KprobeBlacklistTests {
  let base = KprobeFixture.base

  func text() -> KernelText {
    var text = KprobeFixture.text()
    text.symbols += [
      KernelSymbol("entry_a", at: base + 0x4000, size: 0x10),
      KernelSymbol("alias_a", at: base + 0x4010, size: 0),
      KernelSymbol("entry_b", at: base + 0x4010, size: 0x10),
      KernelSymbol("read.cold", at: base + 0x5000, size: 0x10),
      KernelSymbol("lonely.part.0", at: base + 0x5100, size: 0x10),
    ]
    return text
  }

  @Test("a function is on the list from the address given to its size behind it")
  func function() throws {
    var list = KprobeBlacklist()
    let rules = KprobeRules(epoch: .k10, architecture: .x86_64)
    let size = try list.add(functionAt: KprobeFixture.read, in: text())
    #expect(size == 0x100)
    for (address, isOn) in [(0, true), (0xff, true), (0x100, false)] as [(UInt64, Bool)] {
      #expect(
        list.contains(KprobeFixture.read + address, in: text(), rules: rules) == isOn)
    }
    #expect(!list.contains(KprobeFixture.read - 1, in: text(), rules: rules))
    #expect(!KprobeBlacklist().contains(0, in: text(), rules: rules))
  }

  @Test("what is not text or has no symbol cannot be put on the list")
  func notAFunction() {
    var list = KprobeBlacklist()
    let bare = base + 0x8000
    #expect(
      refusal { () throws(KprobeError) in try list.add(functionAt: 0x1000, in: text()) }
        == .notText)
    #expect(
      refusal { () throws(KprobeError) in try list.add(functionAt: bare, in: text()) }
        == .addressWithoutSymbol)
    #expect(
      refusal { () throws(KprobeError) in try list.add(area: bare..<bare + 1, in: text()) }
        == .addressWithoutSymbol)
    #expect(list.entries == [])
  }

  @Test("an area puts every function in it on the list")
  func area() throws {
    var list = KprobeBlacklist()
    try list.add(area: base + 0x4000..<base + 0x4020, in: text())
    #expect(list.entries == [base + 0x4000..<base + 0x4010, base + 0x4010..<base + 0x4020])
    try list.add(area: base..<base, in: text())
    #expect(list.entries.count == 2)
    // Behind a function of a single byte comes the next.
    let (tiny, behind) = (base + 0x6000, base + 0x6001)
    let end = behind + 0x10
    var small = text()
    small.symbols.append(KernelSymbol("tiny", at: tiny, size: 1))
    small.symbols.append(KernelSymbol("behind", at: behind, size: 0x10))
    try list.add(area: tiny..<end, in: small)
    #expect(Array(list.entries.suffix(2)) == [tiny..<behind, behind..<end])
  }

  @Test("since areas are listed, a split-off part is judged by the function it came from")
  func suffix() throws {
    var list = KprobeBlacklist()
    try list.add(functionAt: KprobeFixture.read, in: text())
    for epoch in KprobeEpoch.allCases {
      let rules = KprobeRules(epoch: epoch, architecture: .aarch64)
      let part = list.contains(base + 0x5004, in: text(), rules: rules)
      #expect(part == (epoch >= .k3), "\(epoch)")
      #expect(!list.contains(base + 0x5104, in: text(), rules: rules))
      #expect(!list.contains(KprobeFixture.write, in: text(), rules: rules))
    }
  }

  @Test("a probe on a blacklisted function is refused")
  func registration() {
    for epoch in KprobeEpoch.allCases {
      var fixture = KprobeFixture(epoch, text: text())
      var environment = KprobeBoot.Environment()
      environment.annotated = [KprobeFixture.read]
      _ = KprobeBoot(environment, in: &fixture.kernel)
      let id = fixture.kernel.declare(Kprobe(address: KprobeFixture.read + 3))
      #expect(
        refusal { () throws(KprobeError) in try fixture.kernel.register(id) } == .blacklisted)
    }
  }
}

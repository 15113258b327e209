import KernelModel
import ProbeEvents
import Testing

@Suite("Where a probe goes")
struct KprobeAddressTests {
  /// Registers a probe and tells where it went, or why not.
  func place(
    _ probe: Kprobe, _ epoch: KprobeEpoch, _ architecture: Architecture = .x86_64,
    text: KernelText = KprobeFixture.text()
  ) -> (Address?, KprobeError?, KprobeFlags) {
    var fixture = KprobeFixture(epoch, architecture, text: text)
    let id = fixture.kernel.declare(probe)
    let error = refusal { () throws(KprobeError) in try fixture.kernel.register(id) }
    return (fixture.kernel.table[id]?.address, error, fixture.kernel.table[id]?.flags ?? [])
  }

  @Test(
    "an address or a symbol, but neither both nor none", arguments: KprobeEpoch.allCases,
    Architecture.allCases)
  func addressXorSymbol(epoch: KprobeEpoch, architecture: Architecture) {
    for (address, symbol) in [(nil, nil), (KprobeFixture.fork, "_do_fork")] as [(Address?, String?)]
    {
      let probe = Kprobe(address: address, symbol: symbol)
      #expect(place(probe, epoch, architecture).1 == .addressXorSymbol)
    }
    #expect(place(Kprobe(symbol: "_do_fork"), epoch, architecture).0 == KprobeFixture.fork)
    #expect(
      place(Kprobe(address: KprobeFixture.fork), epoch, architecture).0 == KprobeFixture.fork)
    #expect(place(Kprobe(symbol: "no_such"), epoch, architecture).1 == .symbolNotFound)
  }

  @Test("the offset is added to an address as well as to a symbol")
  func offset() {
    #expect(place(Kprobe(symbol: "read", offset: 8), .k10).0 == KprobeFixture.read + 8)
    #expect(
      place(Kprobe(address: KprobeFixture.read, offset: 8), .k10).0 == KprobeFixture.read + 8)
    #expect(place(Kprobe(address: 1, offset: .max), .k9).1 == .addressXorSymbol)
    #expect(place(Kprobe(address: 1, offset: .max), .k10).1 == .addressWithoutSymbol)
  }

  @Test("since 5.18 an address without a symbol does not exist, before it is a matter of text")
  func withoutSymbol() {
    let bare = KprobeFixture.base + 0x8000
    for architecture in Architecture.allCases {
      #expect(place(Kprobe(address: bare), .k9, architecture).1 == nil)
      #expect(place(Kprobe(address: bare), .k10, architecture).1 == .addressWithoutSymbol)
      #expect(place(Kprobe(address: 0x1000), .k9, architecture).1 == .notText)
    }
  }

  @Test("since 5.18 a probe on a landing pad or just behind it is one at the function's entry")
  func landingPad() {
    var text = KprobeFixture.text()
    text.symbols[1].entry = .landingPad
    let read = KprobeFixture.read
    for (offset, expected, isEntry) in [
      (0, read + 4, true), (4, read + 4, true), (5, read + 5, false), (2, read + 2, false),
    ] as [(UInt64, Address, Bool)] {
      let (address, error, flags) = place(
        Kprobe(symbol: "read", offset: offset), .k10, text: text)
      #expect(error == nil)
      #expect(address == expected)
      #expect(flags.contains(.onFunctionEntry) == isEntry)
    }
    #expect(place(Kprobe(symbol: "read"), .k9, text: text).0 == read)
    #expect(place(Kprobe(symbol: "read"), .k10, .aarch64, text: text).0 == read)
    #expect(place(Kprobe(symbol: "read"), .k9, text: text).2 == [])
    #expect(place(Kprobe(symbol: "read"), .k10, .aarch64, text: text).2 == .onFunctionEntry)
  }

  @Test("a function whose first bytes cannot be read is refused since 5.18")
  func unreadable() {
    var text = KprobeFixture.text()
    text.symbols[1].entry = .unreadable
    #expect(place(Kprobe(symbol: "read"), .k10, text: text).1 == .entryUnreadable)
    #expect(place(Kprobe(symbol: "read"), .k9, text: text).1 == nil)
    #expect(place(Kprobe(symbol: "read"), .k10, .aarch64, text: text).1 == nil)
  }

  @Test("a probe with a symbol can only be registered again when its address is cleared")
  func again() throws {
    var fixture = KprobeFixture()
    let id = fixture.kernel.declare(Kprobe(symbol: "read"))
    try fixture.kernel.register(id)
    fixture.kernel.unregister(id)
    #expect(fixture.kernel.table[id]?.address == KprobeFixture.read)
    #expect(
      refusal { () throws(KprobeError) in try fixture.kernel.register(id) } == .addressXorSymbol)
    fixture.kernel.edit(id) { $0.address = nil }
    try fixture.kernel.register(id)
    #expect(fixture.entry(KprobeFixture.read)?.members == [id])
  }
}

import KernelModel
import ProbeEvents
import Testing

extension KretprobeTests {
  @Test func `a return probe that says nothing more has one handler and no data`() throws {
    var fixture = KprobeFixture(.k10)
    let id = fixture.kernel.declareReturnProbe(address: fork)
    let declared = try #require(fixture.kernel[id])
    #expect(declared.hasHandler && !declared.hasEntryHandler && !declared.isAlive)
    #expect(declared.dataSize == 0 && declared.missed == 0 && declared.free == 0)
    try fixture.kernel.registerReturnProbe(id)
    #expect(fixture.kernel[id]?.isAlive == true)
    // Without a handler for the entry nobody can decline.
    var task = KretprobeTask()
    var address: Address = 0x1234
    let entry = fixture.kernel.enterReturnProbe(
      id, returnAddress: &address, frame: 1, handlerDeclines: true, in: &task)
    #expect(entry == .hooked)
  }

  @Test func `a limit of one is kept, one of nothing or less is the kernel's to choose`() throws {
    for (limit, free) in [(1, 1), (0, 10), (-1, 10)] {
      let (fixture, ids) = try fixture(limit: limit)
      #expect(fixture.kernel[ids[0]]?.free == free)
    }
  }

  @Test func `whatever handlers its owner gave the probe, the kernel's takes their place`() throws {
    var fixture = KprobeFixture(.k10)
    let id = fixture.kernel.declareReturnProbe(address: fork)
    let probe = try #require(fixture.kernel[id]?.probe)
    fixture.kernel.edit(probe) { $0.handlers = [.post, .fault, .breakpoint] }
    try fixture.kernel.registerReturnProbe(id)
    #expect(fixture.run(fork) != nil)
    #expect(fixture.log == ["pre \(probe.rawValue)"])
  }

  /// Has one more entry than there are instances.
  func exhaust(_ fixture: inout KprobeFixture, _ id: KretprobeID) {
    var task = KretprobeTask()
    for _ in 0..<4 {
      var address: Address = 0x1234
      _ = fixture.kernel.enterReturnProbe(id, returnAddress: &address, frame: 1, in: &task)
    }
    fixture.kernel.flush(&task)
  }

  @Test(arguments: KprobeEpoch.allCases)
  func `registered once more it is refused, until 5_17 after its instances were given away`(
    epoch: KprobeEpoch
  ) throws {
    var fixture = KprobeFixture(epoch)
    let id = fixture.kernel.declareReturnProbe(address: fork, instanceLimit: 3)
    try fixture.kernel.registerReturnProbe(id)
    exhaust(&fixture, id)
    #expect(fixture.kernel[id]?.missed == 1)
    #expect(fixture.kernel[id]?.free == 3)
    #expect(
      refusal { () throws(KprobeError) in try fixture.kernel.registerReturnProbe(id) }
        == .alreadyRegistered)
    let isChecked = epoch >= .k10
    #expect(fixture.kernel[id]?.missed == (isChecked ? 1 : 0))
    #expect(fixture.kernel[id]?.free == (isChecked ? 3 : 0))
    #expect(fixture.kernel[id]?.isAlive == true)
    var task = KretprobeTask()
    var address: Address = 0x1234
    let entry = fixture.kernel.enterReturnProbe(id, returnAddress: &address, frame: 1, in: &task)
    #expect(entry == (isChecked ? .hooked : .missed))
  }

  @Test(arguments: KprobeEpoch.allCases)
  func `registered anew it counts misses from zero`(epoch: KprobeEpoch) throws {
    var (fixture, ids) = try fixture(epoch)
    exhaust(&fixture, ids[0])
    fixture.kernel.unregisterReturnProbe(ids[0])
    #expect(fixture.kernel[ids[0]]?.missed == 1)
    let probe = try #require(fixture.kernel[ids[0]]?.probe)
    fixture.kernel.edit(probe) { $0.address = nil }
    try fixture.kernel.registerReturnProbe(ids[0])
    #expect(fixture.kernel[ids[0]]?.missed == 0)
  }

  @Test(arguments: KprobeEpoch.allCases)
  func `one whose probe is refused has no instances and is not alive`(epoch: KprobeEpoch) throws {
    // A function of which the symbol table knows, but outside of all text.
    var text = KprobeFixture.text()
    text.symbols.append(KernelSymbol("data", at: 0x1000, size: 0x100))
    var fixture = KprobeFixture(epoch, text: text)
    let id = fixture.kernel.declareReturnProbe(symbol: "data", instanceLimit: 3)
    #expect(
      refusal { () throws(KprobeError) in try fixture.kernel.registerReturnProbe(id) } == .notText)
    #expect(fixture.kernel[id]?.free == 0)
    #expect(fixture.kernel[id]?.isAlive == false)
  }
}

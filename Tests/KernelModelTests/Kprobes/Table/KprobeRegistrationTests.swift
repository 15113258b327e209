import KernelModel
import ProbeEvents
import Testing

@Suite("Registering probes")
struct KprobeRegistrationTests {
  let fork = KprobeFixture.fork
  let read = KprobeFixture.read

  @Test("a registered probe is found by its address and armed, a removed one neither")
  func life() throws {
    for architecture in Architecture.allCases {
      var fixture = KprobeFixture(.k10, architecture)
      let id = try fixture.probe(fork)
      #expect(fixture.entry(fork)?.members == [id])
      #expect(fixture.entry(fork)?.isArmed == true)
      #expect(fixture.entry(fork)?.hasPostHandler == false)
      #expect(fixture.entry(fork)?.instruction.slot == KprobeFixture.slots)
      #expect(fixture.kernel.table[id]?.instruction == fixture.entry(fork)?.instruction)
      #expect(fixture.kernel.table.lookUp(fork + 1) == nil)
      fixture.kernel.unregister(id)
      #expect(fixture.entry(fork) == nil)
      #expect(fixture.kernel.table.listed == [])
      // The copy's memory is free again.
      _ = try fixture.probe(read)
      #expect(fixture.entry(read)?.instruction.slot == KprobeFixture.slots)
    }
  }

  @Test("a probe that is registered already is refused, alone and in an aggregate")
  func twice() throws {
    var fixture = KprobeFixture()
    let first = try fixture.probe(fork)
    #expect(
      refusal { () throws(KprobeError) in try fixture.kernel.register(first) }
        == .alreadyRegistered)
    let second = try fixture.probe(fork)
    for id in [first, second] {
      #expect(
        refusal { () throws(KprobeError) in try fixture.kernel.register(id) }
          == .alreadyRegistered)
    }
  }

  @Test("a registered probe with an offset slips past the check: the offset is added once more")
  func twiceWithOffset() throws {
    var fixture = KprobeFixture()
    let id = fixture.kernel.declare(Kprobe(address: fork, offset: 4))
    try fixture.kernel.register(id)
    try fixture.kernel.register(id)
    #expect(fixture.kernel.table[id]?.address == fork + 8)
    #expect(fixture.entry(fork + 4)?.members == [id])
    #expect(fixture.entry(fork + 8)?.members == [id])
  }

  @Test("a probe is valid under its own entry only")
  func valid() throws {
    var fixture = KprobeFixture()
    let first = try fixture.probe(fork)
    let entry = try #require(fixture.kernel.table.lookUp(fork))
    #expect(fixture.kernel.table.validEntry(of: first) == entry)
    // Another probe in memory with the same address is not registered by that.
    let stranger = fixture.kernel.declare(Kprobe(address: fork))
    #expect(fixture.kernel.table.validEntry(of: stranger) == nil)
    let second = try fixture.probe(fork)
    #expect(fixture.kernel.table.validEntry(of: second) == entry)
    #expect(fixture.kernel.table.validEntry(of: stranger) == nil)
    let nowhere = fixture.kernel.declare(Kprobe(symbol: "read"))
    #expect(fixture.kernel.table.validEntry(of: nowhere) == nil)
  }

  @Test("an owner can set no flag but the disabled one, and the missed count starts at zero")
  func flags() throws {
    var fixture = KprobeFixture()
    let id = try fixture.probe(fork, flags: [.disabled, .gone, .optimized, .ftrace])
    #expect(fixture.kernel.table[id]?.flags == [.disabled, .onFunctionEntry])
    #expect(fixture.entry(fork)?.isArmed == false)
  }

  @Test("a probe that was missed and comes back counts from zero")
  func missedAnew() throws {
    var fixture = KprobeFixture()
    let id = try fixture.probe(fork)
    fixture.processor.beginBusy()
    _ = fixture.hit(fork)
    #expect(fixture.missed(id) == 1)
    fixture.kernel.unregister(id)
    try fixture.kernel.register(id)
    #expect(fixture.missed(id) == 0)
  }

  @Test("a kernel without probes by the function tracer refuses its call sites")
  func withoutFtrace() throws {
    for canUseFtrace in [true, false] {
      var text = KprobeFixture.text()
      text.ftraceCalls = [fork..<fork + 5]
      var fixture = KprobeFixture(text: text) { $1.canUseFtrace = canUseFtrace }
      let id = fixture.kernel.declare(Kprobe(address: fork))
      let error = refusal { () throws(KprobeError) in try fixture.kernel.register(id) }
      #expect(error == (canUseFtrace ? nil : .ftraceUnavailable))
    }
  }

  @Test("the middle of a call site is refused until 5.17")
  func insideCallSite() throws {
    for (epoch, expected) in [(KprobeEpoch.k9, KprobeError.insideFtraceCall), (.k10, nil)] {
      var text = KprobeFixture.text()
      text.ftraceCalls = [fork..<fork + 5]
      var fixture = KprobeFixture(epoch, text: text)
      let id = fixture.kernel.declare(Kprobe(address: fork + 1))
      #expect(refusal { () throws(KprobeError) in try fixture.kernel.register(id) } == expected)
    }
  }

  @Test("a probe and a processor have nothing to tell at first, and handlers are bits of their own")
  func fresh() {
    #expect(Kprobe(address: fork).missed == 0)
    let processor = KprobeProcessor()
    #expect(processor.oldFlags == 0 && processor.savedFlags == 0)
    let handlers: [KprobeHandlers] = [.pre, .post, .fault, .breakpoint]
    #expect(handlers.map(\.rawValue) == [1, 2, 4, 8])
  }

  @Test("a kernel that nobody described is preemptible, has one processor, and puts in no jumps")
  func configuration() {
    let configuration = KprobeConfiguration()
    #expect(configuration.isPreemptible && !configuration.canOptimize)
    #expect(configuration.canUseFtrace && configuration.processors == 1)
    // Copies of 16 bytes end long before the detours begin, at 0x10_0000.
    #expect(configuration.slotCount == 4096)
    #expect(configuration.returnTrampoline == 0xffff_ffff_8100_0f00)
  }

  @Test("a probe that was unregistered comes back disabled unless its owner clears the flag")
  func comesBackDisabled() throws {
    var fixture = KprobeFixture()
    let id = try fixture.probe(fork)
    fixture.kernel.unregister(id)
    #expect(fixture.kernel.table[id]?.flags.contains(.disabled) == true)
    try fixture.kernel.register(id)
    #expect(fixture.entry(fork)?.isArmed == false)
    try fixture.kernel.enable(id)
    #expect(fixture.entry(fork)?.isArmed == true)
  }

  @Test("unregistering what is not registered clears its address and nothing else")
  func unregisterStranger() throws {
    var fixture = KprobeFixture()
    _ = try fixture.probe(fork)
    let stranger = fixture.kernel.declare(Kprobe(address: fork))
    fixture.kernel.unregister(stranger)
    #expect(fixture.kernel.table[stranger]?.address == nil)
    #expect(fixture.entry(fork)?.isArmed == true)
  }

  @Test("an empty batch is refused, and one with a bad probe is undone")
  func batch() {
    var fixture = KprobeFixture()
    #expect(refusal { () throws(KprobeError) in try fixture.kernel.register([]) } == .emptyBatch)
    let good = fixture.kernel.declare(Kprobe(address: fork))
    let bad = fixture.kernel.declare(Kprobe(symbol: "no_such"))
    let late = fixture.kernel.declare(Kprobe(address: read))
    #expect(
      refusal { () throws(KprobeError) in try fixture.kernel.register([good, bad, late]) }
        == .symbolNotFound)
    #expect(fixture.kernel.table.listed == [])
    #expect(
      refusal { () throws(KprobeError) in try fixture.kernel.register([late]) } == nil)
    #expect(fixture.kernel.table.listed.count == 1)
  }

  @Test("without memory for a copy a probe is refused, and can be had when there is some")
  func noMemory() throws {
    for architecture in Architecture.allCases {
      var fixture = KprobeFixture(.k10, architecture) { $1.slotCount = 1 }
      let first = try fixture.probe(fork)
      let second = fixture.kernel.declare(Kprobe(address: read))
      #expect(
        refusal { () throws(KprobeError) in try fixture.kernel.register(second) } == .noMemory)
      fixture.kernel.unregister(first)
      try fixture.kernel.register(second)
    }
  }

  @Test("a refused instruction takes no memory")
  func refusedTakesNoSlot() throws {
    var text = KprobeFixture.text()
    text.instructions[fork] = .x86(X86Instruction(opcode: 0xcf, length: 1))
    var fixture = KprobeFixture(.k10, text: text) { $1.slotCount = 1 }
    let bad = fixture.kernel.declare(Kprobe(address: fork))
    #expect(refusal { () throws(KprobeError) in try fixture.kernel.register(bad) } == .notEmulated)
    _ = try fixture.probe(read)
  }

  @Test("a disabled probe is not armed; disabling and enabling arm and disarm it")
  func enabling() throws {
    var fixture = KprobeFixture()
    let id = try fixture.probe(fork)
    try fixture.kernel.disable(id)
    #expect(fixture.entry(fork)?.isArmed == false)
    try fixture.kernel.disable(id)
    #expect(fixture.kernel.table[id]?.flags.contains(.disabled) == true)
    try fixture.kernel.enable(id)
    #expect(fixture.entry(fork)?.isArmed == true)
    #expect(fixture.kernel.table[id]?.flags.contains(.disabled) == false)
    try fixture.kernel.enable(id)
    let stranger = fixture.kernel.declare(Kprobe(address: fork))
    #expect(
      refusal { () throws(KprobeError) in try fixture.kernel.disable(stranger) }
        == .notRegistered)
    #expect(
      refusal { () throws(KprobeError) in try fixture.kernel.enable(stranger) } == .notRegistered)
  }

  @Test("while all probes are off none is armed, and those not disabled come back")
  func allOff() throws {
    var fixture = KprobeFixture()
    let first = try fixture.probe(fork)
    let second = try fixture.probe(read)
    try fixture.kernel.disable(second)
    fixture.kernel.disarmAll()
    #expect(fixture.kernel.areAllDisarmed)
    #expect(fixture.entry(fork)?.isArmed == false)
    #expect(fixture.kernel.table[first]?.flags.contains(.disabled) == false)
    _ = try fixture.probe(KprobeFixture.write)
    #expect(fixture.entry(KprobeFixture.write)?.isArmed == false)
    // A probe that is enabled now stays disabled: nothing looks at it again.
    try fixture.kernel.enable(second)
    fixture.kernel.disarmAll()
    fixture.kernel.armAll()
    #expect(fixture.entry(fork)?.isArmed == true)
    #expect(fixture.entry(KprobeFixture.write)?.isArmed == true)
    #expect(fixture.entry(read)?.isArmed == false)
    fixture.kernel.armAll()
    #expect(!fixture.kernel.areAllDisarmed)
  }

  @Test("names from another kernel mean nothing")
  func strangers() throws {
    var other = KprobeFixture()
    var last = try other.probe(fork)
    for _ in 0..<3 { last = other.kernel.declare(Kprobe(address: fork)) }
    var fixture = KprobeFixture()
    #expect(fixture.kernel.table[last] == nil)
    #expect(
      refusal { () throws(KprobeError) in try fixture.kernel.register(last) } == .notRegistered)
    fixture.kernel.unregister(last)
    fixture.kernel.edit(last) { $0.offset = 1 }
    #expect(fixture.kernel.table.listed == [])
  }
}

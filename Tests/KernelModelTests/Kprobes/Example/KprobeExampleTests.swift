import KernelModel
import ProbeEvents
import Testing

@Suite("The kernel's sample module")
struct KprobeExampleTests {
  let fork = KprobeFixture.fork

  @Test("it says where it was planted, what its handlers saw, and that it is gone")
  func story() throws {
    for (architecture, expected) in [
      (
        Architecture.x86_64,
        [
          "planted at 0xffffffff81001000",
          "before 0xffffffff81001000: ip 0xffffffff81001001, flags 0x246",
          "after 0xffffffff81001000: flags 0x246",
          "removed from 0xffffffff81001000",
        ]
      ),
      (
        .aarch64,
        [
          "planted at 0xffffffff81001000",
          "before 0xffffffff81001000: pc 0xffffffff81001000, pstate 0x60000005",
          "after 0xffffffff81001000: pstate 0x60000005",
          "removed from 0xffffffff81001000",
        ]
      ),
    ] {
      var fixture = KprobeFixture(.k10, architecture)
      var example = KprobeExample()
      try example.load(into: &fixture.kernel)
      let flags: UInt64 = architecture == .x86_64 ? 0x246 : 0x6000_0005
      let hit = fixture.hit(fork, flags: flags)
      let stepping = example.answer(hit, in: &fixture.kernel, on: &fixture.processor)
      let end = fixture.endStep(
        try #require(stepping.resumed), length: architecture == .x86_64 ? 1 : 4)
      let last = example.answer(end, in: &fixture.kernel, on: &fixture.processor)
      #expect(last.resumed?.flags == flags)
      example.unload(from: &fixture.kernel)
      #expect(example.text(architecture) == expected)
      #expect(fixture.hit(fork).called == nil)
    }
  }

  @Test("a handler that faults is told so until 5.13, and does not handle it")
  func fault() throws {
    for epoch in KprobeEpoch.allCases {
      var fixture = KprobeFixture(epoch)
      var example = KprobeExample()
      try example.load(into: &fixture.kernel)
      _ = fixture.hit(fork)
      let registers = fixture.trapped(at: KprobeFixture.read)
      let fault = fixture.kernel.fault(registers, on: &fixture.processor)
      let end = example.answer(fault, in: &fixture.kernel, on: &fixture.processor)
      if epoch < .k9 {
        #expect(example.lines.contains(.fault(fork, trap: 14)))
        #expect(example.lines.last?.text(.x86_64) == nil || example.lines.count > 1)
        #expect(
          KprobeExample.Line.fault(fork, trap: 14).text(.x86_64)
            == "fault at 0xffffffff81001000: trap 14")
      } else {
        #expect(end == .passOn(registers))
        #expect(example.lines == [.planted(fork)])
      }
    }
  }

  @Test("without the function it is refused with the kernel's error number")
  func refused() {
    var fixture = KprobeFixture()
    var example = KprobeExample(symbol: "kernel_clone")
    #expect(
      refusal { () throws(KprobeError) in try example.load(into: &fixture.kernel) }
        == .symbolNotFound)
    #expect(example.text(.x86_64) == ["refused: error -2"])
    example.unload(from: &fixture.kernel)
    #expect(example.lines.count == 1)
  }

  @Test("unloading a module whose probe is not there any more says so")
  func twiceRemoved() throws {
    var fixture = KprobeFixture()
    var example = KprobeExample()
    try example.load(into: &fixture.kernel)
    example.unload(from: &fixture.kernel)
    example.unload(from: &fixture.kernel)
    #expect(example.text(.x86_64).last == "was not there to be removed")
  }

  @Test("probes of others are answered for it")
  func others() throws {
    var fixture = KprobeFixture()
    let other = try fixture.probe(fork)
    var example = KprobeExample()
    try example.load(into: &fixture.kernel)
    let end = example.answer(fixture.hit(fork), in: &fixture.kernel, on: &fixture.processor)
    #expect(end.resumed != nil)
    #expect(example.lines.count == 2)
    #expect(fixture.missed(other) == 0)
  }

  @Test func `a handler whose probe has lost its address says zero`() throws {
    var fixture = KprobeFixture()
    var example = KprobeExample()
    try example.load(into: &fixture.kernel)
    let called = fixture.hit(fork)
    // The kernel clears the address of a probe that is not there to be removed.
    example.unload(from: &fixture.kernel)
    example.unload(from: &fixture.kernel)
    _ = example.answer(called, in: &fixture.kernel, on: &fixture.processor)
    #expect(example.text(.x86_64).last == "before 0x0: ip 0xffffffff81001001, flags 0x0")
  }
}

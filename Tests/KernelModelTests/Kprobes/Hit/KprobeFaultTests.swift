import KernelModel
import ProbeEvents
import Testing

@Suite("Faults under kprobes")
struct KprobeFaultTests {
  let fork = KprobeFixture.fork
  let read = KprobeFixture.read

  /// A processor that steps the copy of a probe, and the registers there.
  func stepping(
    _ epoch: KprobeEpoch, _ architecture: Architecture, flags: UInt64
  ) throws -> (KprobeFixture, KprobeRegisters) {
    var fixture = KprobeFixture(epoch, architecture)
    _ = try fixture.probe(fork, [.pre, .post])
    let registers = try #require(fixture.answer(fixture.hit(fork, flags: flags)).resumed)
    return (fixture, registers)
  }

  @Test(
    "a fault of the stepped instruction is one of the probed place, and the probe is given up",
    arguments: KprobeEpoch.allCases, Architecture.allCases)
  func inStep(epoch: KprobeEpoch, architecture: Architecture) throws {
    let flags: UInt64 = architecture == .x86_64 ? 0x202 : 0x40
    var (fixture, registers) = try stepping(epoch, architecture, flags: flags)
    let outcome = fixture.kernel.fault(registers, on: &fixture.processor)
    let end = try #require(outcome.passedOn)
    #expect(end.instructionPointer == fork)
    #expect(fixture.processor.running == .none)
    #expect(fixture.processor.status == .stepping)
    #expect(!fixture.processor.isStepping)
    switch architecture {
    case .x86_64: #expect(end.flags == flags)
    case .aarch64:
      // Before 5.13 the masks of the step stay.
      let masks: UInt64 = epoch < .k6 ? 0x80 : 0x3c0
      let isMasked = end.flags & masks == masks
      #expect(isMasked == (epoch < .k8))
      if epoch >= .k8 { #expect(end.flags == flags) }
    }
    // The next hit is one like any other.
    #expect(fixture.hit(fork).called?.handler == .pre)
  }

  @Test("a re-entrant step that faults gives back its own flags, then the outer probe's are noted")
  func reentrantFlags() throws {
    for (outer, inner) in [(0, 0x200), (0x200, 0)] as [(UInt64, UInt64)] {
      var fixture = KprobeFixture(.k15)
      _ = try fixture.probe(read)
      _ = try fixture.probe(fork)
      _ = fixture.hit(read, flags: outer)
      #expect(fixture.processor.oldFlags == outer)
      let registers = try #require(fixture.hit(fork, flags: inner).resumed)
      #expect(fixture.processor.oldFlags == inner)
      let end = try #require(fixture.kernel.fault(registers, on: &fixture.processor).passedOn)
      #expect(end.flags == inner)
      #expect(fixture.processor.oldFlags == outer && fixture.processor.savedFlags == outer)
    }
  }

  @Test("a fault that nobody numbers is a page fault; other handlers are called with no number")
  func trapNumber() throws {
    var fixture = KprobeFixture(.k0)
    _ = try fixture.probe(fork, [.pre, .fault])
    let outcome = fixture.hit(fork)
    guard case .call(let pre, let registers) = outcome else {
      Issue.record("no handler was called")
      return
    }
    #expect(pre.trap == 0)
    let fault = fixture.kernel.fault(registers, on: &fixture.processor).called
    #expect(fault?.handler == .fault && fault?.trap == 14)
  }

  @Test("a stray breakpoint in a handler leaves whose it was, unless break handlers were asked")
  func strayInHandler() throws {
    for hasBreakHandler in [false, true] {
      var fixture = KprobeFixture(.k0)
      if hasBreakHandler { _ = try fixture.probe(fork, [.pre, .breakpoint]) }
      let asked = try fixture.probe(fork, [.pre, .fault])
      if !hasBreakHandler { _ = try fixture.probe(fork, [.post]) }
      guard case .call(let pre, let registers) = fixture.hit(fork) else {
        Issue.record("no handler was called")
        continue
      }
      #expect(pre.probe == asked)
      #expect(fixture.hit(KprobeFixture.write) == .declined)
      // aggr_break_handler() forgets the member whether it has a break handler or not.
      let fault = fixture.kernel.fault(registers, on: &fixture.processor).called
      #expect(fault?.probe == (hasBreakHandler ? nil : asked))
    }
  }

  @Test("after a fault in a re-entrant step the outer probe runs on, on arm64 with masks left set")
  func inReentrantStep() throws {
    for (architecture, outer, inner) in [
      (.x86_64, 0x200, 0), (.x86_64, 0, 0x200), (.aarch64, 0x80, 0), (.aarch64, 0, 0x80),
    ] as [(Architecture, UInt64, UInt64)] {
      var fixture = KprobeFixture(.k15, architecture)
      _ = try fixture.probe(read)
      _ = try fixture.probe(fork)
      _ = fixture.hit(read, flags: outer)
      let registers = try #require(fixture.hit(fork, flags: inner).resumed)
      let end = try #require(
        fixture.kernel.fault(registers, on: &fixture.processor).passedOn)
      #expect(end.instructionPointer == fork)
      #expect(fixture.processor.status == .active)
      #expect(fixture.processor.running != .none)
      #expect(end.flags == (architecture == .x86_64 ? inner : 0x3c0))
    }
  }

  @Test(
    "a fault elsewhere while an instruction is stepped", arguments: KprobeEpoch.allCases,
    Architecture.allCases)
  func elsewhere(epoch: KprobeEpoch, architecture: Architecture) throws {
    var (fixture, registers) = try stepping(epoch, architecture, flags: 0)
    registers.instructionPointer = read
    let end = try #require(
      fixture.kernel.fault(registers, on: &fixture.processor).passedOn)
    if architecture == .aarch64 && epoch < .k15 {
      #expect(end.instructionPointer == fork)
      #expect(fixture.processor.running == .none)
    } else {
      #expect(end == registers)
      #expect(fixture.processor.running != .none)
    }
  }

  @Test(
    "a fault in a handler", arguments: KprobeEpoch.allCases, Architecture.allCases)
  func inHandler(epoch: KprobeEpoch, architecture: Architecture) throws {
    for isPost in [false, true] {
      for hasHandler in [true, false] {
        for handles in [true, false] {
          for hasFixUp in [true, false] {
            var fixture = KprobeFixture(epoch, architecture)
            let handlers: KprobeHandlers = hasHandler ? [.pre, .post, .fault] : [.pre, .post]
            let id = try fixture.probe(fork, handlers)
            var outcome = fixture.hit(fork)
            if isPost {
              outcome = fixture.kernel.handlerReturned(
                0, fixture.trapped(at: fork), on: &fixture.processor)
              let length: Address = architecture == .x86_64 ? 1 : 4
              outcome = fixture.endStep(try #require(outcome.resumed), length: length)
            }
            #expect(outcome.called?.handler == (isPost ? .post : .pre))
            // No trap is to be told of yet.
            #expect(outcome.called?.trap == 0)
            let registers = fixture.trapped(at: read)
            var end = fixture.kernel.fault(
              registers, trap: 13, hasFixUp: hasFixUp, on: &fixture.processor)
            let asks = epoch < .k9
            #expect(fixture.missed(id) == (asks ? 1 : 0))
            if asks && hasHandler {
              #expect(end.called?.handler == .fault)
              #expect(end.called?.trap == 13)
              end = fixture.kernel.handlerReturned(
                handles ? 1 : 0, registers, on: &fixture.processor)
            }
            let isTableAsked = asks || (architecture == .aarch64 && epoch < .k12)
            let isDone = (asks && hasHandler && handles) || (isTableAsked && hasFixUp)
            #expect(end == (isDone ? .resume(registers) : .passOn(registers)))
            // The handler that faulted is still to return.
            #expect(fixture.processor.calls.last?.handler == (isPost ? .post : .pre))
          }
        }
      }
    }
  }

  @Test("in an aggregate only the member that faulted is asked, and all are counted")
  func aggregate() throws {
    var fixture = KprobeFixture(.k8)
    let old = try fixture.probe(fork, [.pre, .fault])
    let new = try fixture.probe(fork, [.pre])
    let first = fixture.hit(fork)
    #expect(first.called?.probe == new)
    let registers = fixture.trapped(at: read)
    #expect(fixture.kernel.fault(registers, on: &fixture.processor) == .passOn(registers))
    #expect(fixture.kernel.handlerReturned(0, registers, on: &fixture.processor).called != nil)
    #expect(fixture.kernel.fault(registers, on: &fixture.processor).called?.probe == old)
    #expect([old, new].map { fixture.missed($0) } == [2, 2])
  }

  @Test("a fault is not looked at in user mode, where the processor can change, or without a probe")
  func notLookedAt() throws {
    for architecture in Architecture.allCases {
      var (fixture, registers) = try stepping(.k8, architecture, flags: 0)
      #expect(
        fixture.kernel.fault(registers, isPreemptible: true, on: &fixture.processor)
          == .declined)
      var idle = KprobeProcessor()
      #expect(fixture.kernel.fault(registers, on: &idle) == .declined)
      registers.isUser = true
      #expect(fixture.kernel.fault(registers, on: &fixture.processor) == .declined)
    }
  }

  @Test("a fault in a return handler counts for its return probe")
  func inReturnHandler() throws {
    for (epoch, expected) in [(KprobeEpoch.k1, UInt64(1)), (.k10, 0)] {
      var fixture = KprobeFixture(epoch)
      let id = fixture.kernel.declareReturnProbe(address: fork)
      try fixture.kernel.registerReturnProbe(id)
      fixture.kernel.beginReturnHandler(id, on: &fixture.processor)
      let registers = fixture.trapped(at: read)
      #expect(
        fixture.kernel.fault(registers, hasFixUp: true, on: &fixture.processor)
          == (expected == 1 ? .resume(registers) : .passOn(registers)))
      let probe = try #require(fixture.kernel[id]?.probe)
      #expect(fixture.missed(probe) == expected)
    }
  }

  @Test("a fault while nothing but the busy mark is there is passed on")
  func busy() {
    for epoch in [KprobeEpoch.k1, .k15] {
      for architecture in Architecture.allCases {
        var fixture = KprobeFixture(epoch, architecture)
        fixture.processor.beginBusy()
        let registers = fixture.trapped(at: read)
        #expect(fixture.kernel.fault(registers, on: &fixture.processor) == .passOn(registers))
      }
    }
  }

  @Test("after a fault in a step, a foreign breakpoint on x86 finds no probe where one is expected")
  func nullPointer() throws {
    var (fixture, registers) = try stepping(.k8, .x86_64, flags: 0)
    _ = fixture.kernel.fault(registers, on: &fixture.processor)
    #expect(fixture.hit(read) == .stop(.noRunningProbe))
    var (old, oldRegisters) = try stepping(.k7, .x86_64, flags: 0)
    _ = old.kernel.fault(oldRegisters, on: &old.processor)
    #expect(old.hit(read) == .declined)
  }
}

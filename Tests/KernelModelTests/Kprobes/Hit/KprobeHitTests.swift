import KernelModel
import ProbeEvents
import Testing

@Suite("Hits of kprobes")
struct KprobeHitTests {
  let fork = KprobeFixture.fork
  let read = KprobeFixture.read
  let write = KprobeFixture.write

  @Test(
    "a hit runs the pre-handler, the instruction and the post-handler, and goes on behind it",
    arguments: KprobeEpoch.allCases, Architecture.allCases)
  func whole(epoch: KprobeEpoch, architecture: Architecture) throws {
    var fixture = KprobeFixture(epoch, architecture)
    let id = try fixture.probe(fork, [.pre, .post])
    let masks: UInt64 = architecture == .x86_64 ? 0x246 : 0x3c5
    let end = fixture.run(fork, flags: masks)
    let registers = try #require(end)
    #expect(fixture.log == ["pre 0", "post 0"])
    #expect(registers.instructionPointer == fork + (architecture == .x86_64 ? 1 : 4))
    #expect(fixture.processor.running == .none)
    #expect(fixture.processor.status == .done)
    #expect(fixture.missed(id) == 0)
    // A step by hardware leaves its own bit in the saved flags of arm64; all others are as before.
    let own: UInt64 = 0x20_0200
    #expect(registers.flags & ~own == masks & ~own)
  }

  @Test("a probe without handlers is stepped all the same", arguments: Architecture.allCases)
  func noHandlers(architecture: Architecture) throws {
    var fixture = KprobeFixture(.k15, architecture)
    _ = try fixture.probe(fork, [])
    #expect(fixture.run(fork) != nil)
    #expect(fixture.log == [])
  }

  @Test(
    "a pre-handler that returns non-zero has the last word on where to go on",
    arguments: KprobeEpoch.allCases, Architecture.allCases)
  func handled(epoch: KprobeEpoch, architecture: Architecture) throws {
    var fixture = KprobeFixture(epoch, architecture)
    let id = try fixture.probe(fork, [.pre, .post])
    guard case .call(_, var registers) = fixture.hit(fork) else {
      Issue.record("no handler was called")
      return
    }
    registers.instructionPointer = write
    let outcome = fixture.kernel.handlerReturned(1, registers, on: &fixture.processor)
    #expect(outcome == .resume(registers))
    if epoch < .k2 {
      #expect(fixture.processor.running != .none)
      // Every later hit counts as re-entry until somebody resets the processor.
      #expect(fixture.hit(fork).called == nil)
      #expect(fixture.missed(id) == 1)
      fixture.processor.resetRunning()
      #expect(fixture.hit(fork).called?.probe == id)
    } else {
      #expect(fixture.processor.running == .none)
      #expect(fixture.hit(fork).called?.probe == id)
    }
  }

  /// Brings a processor into a state, with another probe running.
  func bring(_ fixture: inout KprobeFixture, to status: KprobeStatus) throws {
    _ = try fixture.probe(read, [.pre, .post])
    _ = try fixture.probe(write, [.pre, .post])
    let called = fixture.hit(read)
    switch status {
    case .none: return
    case .active: #expect(called.called?.handler == .pre)
    case .stepping:
      _ = fixture.kernel.handlerReturned(
        0, fixture.trapped(at: read), on: &fixture.processor)
    case .done:
      let step = fixture.kernel.handlerReturned(
        0, fixture.trapped(at: read), on: &fixture.processor)
      let length: Address = fixture.kernel.rules.architecture == .x86_64 ? 1 : 4
      let registers = try #require(step.resumed)
      #expect(fixture.endStep(registers, length: length).called?.handler == .post)
    case .reentered:
      #expect(fixture.hit(write).resumed != nil)
    }
    #expect(fixture.processor.status == status)
  }

  @Test(
    "a hit inside of another, by what the other is doing", arguments: KprobeEpoch.allCases,
    Architecture.allCases)
  func reentry(epoch: KprobeEpoch, architecture: Architecture) throws {
    for status in KprobeStatus.allCases where status != .none {
      var fixture = KprobeFixture(epoch, architecture)
      try bring(&fixture, to: status)
      let before = fixture.processor
      let inner = try fixture.probe(fork, [.pre, .post])
      // Other flags than at the outer hit, which must not be given back to the outer probe.
      let outcome = fixture.hit(fork, flags: architecture == .x86_64 ? 0x200 : 0x80)
      let isFatal =
        status == .reentered
        || status == .stepping && epoch < (architecture == .x86_64 ? .k1 : .k15)
      if isFatal {
        #expect(outcome == .stop(.unrecoverableReentry), "\(status)")
        #expect(fixture.missed(inner) == 0)
        continue
      }
      #expect(fixture.missed(inner) == 1)
      let stepping = try #require(outcome.resumed, "\(status)")
      #expect(fixture.processor.status == .reentered)
      let length: Address = architecture == .x86_64 ? 1 : 4
      let end = try #require(fixture.endStep(stepping, length: length).resumed)
      #expect(end.instructionPointer == fork + length)
      // The outer probe is as it was before.
      #expect(fixture.processor.running == before.running)
      #expect(fixture.processor.status == status)
      #expect(fixture.processor.savedFlags == before.savedFlags)
      #expect(fixture.processor.oldFlags == before.oldFlags)
      #expect(fixture.processor.calls == before.calls)
    }
  }

  @Test("an outer probe goes on after a hit inside its pre-handler")
  func outerGoesOn() throws {
    for architecture in Architecture.allCases {
      var fixture = KprobeFixture(.k15, architecture)
      let length: Address = architecture == .x86_64 ? 1 : 4
      let inner = try fixture.probe(fork, [.pre, .post])
      _ = try fixture.probe(read, [.pre, .post])
      let outer = fixture.hit(read, flags: 0x80)
      let stepping = try #require(fixture.hit(fork, flags: 0x40).resumed)
      let back = try #require(fixture.endStep(stepping, length: length).resumed)
      #expect(back.flags == 0x40)
      let end = fixture.answer(outer)
      let registers = try #require(end.resumed)
      #expect(fixture.answer(fixture.endStep(registers, length: length)).resumed?.flags == 0x80)
      #expect(fixture.log == ["pre 1", "post 1"])
      #expect(fixture.missed(inner) == 1)
    }
  }

  @Test("a processor that must be left alone counts hits as missed")
  func busy() throws {
    var fixture = KprobeFixture()
    let id = try fixture.probe(fork)
    fixture.processor.beginBusy()
    #expect(fixture.hit(fork).resumed != nil)
    #expect(fixture.missed(id) == 1)
    fixture.processor.endBusy()
    #expect(fixture.hit(fork).called != nil)
  }

  @Test(
    "a breakpoint without a probe", arguments: KprobeEpoch.allCases, Architecture.allCases)
  func stray(epoch: KprobeEpoch, architecture: Architecture) {
    for isInText in [true, false] {
      var fixture = KprobeFixture(epoch, architecture)
      let registers = fixture.trapped(at: fork)
      let outcome = fixture.kernel.breakpoint(
        registers, isInText: isInText, on: &fixture.processor)
      switch (architecture, epoch < .k12, isInText) {
      case (.x86_64, true, false):
        var backedUp = registers
        backedUp.instructionPointer = fork
        #expect(outcome == .resume(backedUp))
      case (.aarch64, true, true), (.aarch64, true, false): #expect(outcome == .resume(registers))
      case (.x86_64, true, true), (.x86_64, false, true), (.x86_64, false, false),
        (.aarch64, false, true), (.aarch64, false, false):
        #expect(outcome == .declined)
      }
    }
  }

  @Test(
    "a breakpoint in user mode is not a kprobe's, but for the first arm64 kernels",
    arguments: KprobeEpoch.allCases, Architecture.allCases)
  func user(epoch: KprobeEpoch, architecture: Architecture) throws {
    var fixture = KprobeFixture(epoch, architecture)
    _ = try fixture.probe(fork)
    var registers = fixture.trapped(at: fork)
    registers.isUser = true
    let outcome = fixture.kernel.breakpoint(registers, on: &fixture.processor)
    if architecture == .aarch64 && epoch < .k3 {
      #expect(outcome.called != nil)
    } else {
      #expect(outcome == .declined)
    }
  }

  @Test(
    "until 4.18 a stray breakpoint is offered to the running probe's break handler",
    arguments: KprobeEpoch.allCases, Architecture.allCases)
  func breakHandler(epoch: KprobeEpoch, architecture: Architecture) throws {
    for isAggregate in [false, true] {
      for takes in [Int32(0), 1] {
        var fixture = KprobeFixture(epoch, architecture)
        let id = try fixture.probe(fork, [.pre, .breakpoint])
        if isAggregate { _ = try fixture.probe(fork) }
        // The pre-handler sends the processor to the jprobe's function.
        fixture.results[id.rawValue] = 1
        _ = fixture.answer(fixture.hit(fork))
        let outcome = fixture.hit(write)
        guard epoch < .k2 else {
          #expect(outcome.called == nil)
          continue
        }
        #expect(outcome.called?.handler == .breakpoint)
        #expect(outcome.called?.probe == id)
        let end = fixture.kernel.handlerReturned(
          takes, fixture.trapped(at: fork), on: &fixture.processor)
        switch (takes != 0, architecture) {
        case (true, .x86_64), (true, .aarch64):
          #expect(fixture.processor.status == .stepping)
          #expect(end.resumed?.instructionPointer == KprobeFixture.slots)
        case (false, .x86_64): #expect(end == .declined)
        case (false, .aarch64): #expect(end == .resume(fixture.trapped(at: fork)))
        }
      }
    }
  }

  @Test("a running probe without a break handler takes no stray breakpoint")
  func noBreakHandler() throws {
    var fixture = KprobeFixture(.k1)
    _ = try fixture.probe(fork)
    _ = fixture.hit(fork)
    #expect(fixture.hit(write) == .declined)
    _ = fixture.kernel.breakpoint(
      fixture.trapped(at: write), isInText: false, on: &fixture.processor)
    #expect(fixture.processor.calls.count == 1)
  }

  @Test("a probe removed while its handler runs is finished as if it were there")
  func removedWhileRunning() throws {
    for architecture in Architecture.allCases {
      var fixture = KprobeFixture(.k15, architecture)
      let id = try fixture.probe(fork, [.pre, .post])
      let called = fixture.hit(fork)
      fixture.kernel.unregister(id)
      let stepping = try #require(fixture.answer(called).resumed)
      let length: Address = architecture == .x86_64 ? 1 : 4
      #expect(fixture.answer(fixture.endStep(stepping, length: length)).resumed != nil)
      #expect(fixture.log == ["pre 0", "post 0"])
    }
  }

  @Test("a handler that nobody called has nothing to return")
  func nothingToReturn() {
    var fixture = KprobeFixture()
    let registers = fixture.trapped(at: fork)
    let outcome = fixture.kernel.handlerReturned(1, registers, on: &fixture.processor)
    #expect(outcome == .resume(registers))
  }

  @Test("a return handler that meets a probe before the processor ever handled one is warned about")
  func impossibleStatus() throws {
    for (epoch, architecture, isInText) in [
      (.k8, .x86_64, true), (.k8, .x86_64, false), (.k14, .x86_64, false), (.k7, .x86_64, false),
      (.k8, .aarch64, true), (.k14, .aarch64, true),
    ] as [(KprobeEpoch, Architecture, Bool)] {
      var fixture = KprobeFixture(epoch, architecture) { rules, _ in
        rules.returnStorage = .perTask
      }
      let inner = try fixture.probe(read)
      let returning = fixture.kernel.declareReturnProbe(address: fork)
      try fixture.kernel.registerReturnProbe(returning)
      fixture.kernel.beginReturnHandler(returning, on: &fixture.processor)
      let outcome = fixture.kernel.breakpoint(
        fixture.trapped(at: read), isInText: isInText, on: &fixture.processor)
      switch (epoch, architecture, isInText) {
      case (.k8, .x86_64, false):
        #expect(outcome.resumed?.instructionPointer == read)
      case (.k8, .aarch64, true): #expect(outcome.resumed?.instructionPointer == read)
      default: #expect(outcome == .declined, "\(epoch) \(architecture)")
      }
      #expect(fixture.missed(inner) == 0)
    }
  }
}

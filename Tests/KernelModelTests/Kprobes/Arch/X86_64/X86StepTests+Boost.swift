import KernelModel
import ProbeEvents
import Testing

/// Copies that run on by a jump behind them, without a trap.
extension X86StepTests {
  @Test(
    "a copy runs on without a trap if nothing has to be done behind it, where nothing is preempted")
  func boost() throws {
    let boostable = X86Instruction(opcode: 0x55, length: 1, canBoost: true)
    for isPreemptible in [true, false] {
      for handlers in [[], .post] as [KprobeHandlers] {
        var (fixture, _) = fixture(boostable, handlers: handlers, isPreemptible: isPreemptible)
        let runsOn = !isPreemptible && handlers == []
        let registers = try #require(fixture.hit(Self.fork, flags: 0x200).resumed)
        #expect(registers.instructionPointer == KprobeFixture.slots)
        #expect(registers.flags == (runsOn ? 0x200 : 0))
        #expect((fixture.processor.running == .none) == runsOn)
      }
    }
    let long = X86Instruction(opcode: 0x55, length: 12, canBoost: true)
    #expect(fixture(long, isPreemptible: false).0.entry(Self.fork)?.instruction.boost == .no)
    let fitting = X86Instruction(opcode: 0x55, length: 11, canBoost: true)
    #expect(fixture(fitting, isPreemptible: false).0.entry(Self.fork)?.instruction.boost == .yes)
  }

  @Test("with hardware stepping a copy runs on from the second hit, if there was room for a jump")
  func boostAfterStep() throws {
    for (canBoost, distance, expected) in [
      (true, 1, PreparedInstruction.Boost.yes), (true, 10, .yes), (true, 11, .no),
      (true, 0, .no), (false, 1, .no),
    ] as [(Bool, UInt64, PreparedInstruction.Boost)] {
      var (_, fixture) = try stepped(
        X86Instruction(opcode: 0x55, length: 1, canBoost: canBoost), endsAt: distance)
      #expect(fixture.entry(Self.fork)?.instruction.boost == expected)
      let again = try #require(fixture.hit(Self.fork, flags: 0x200).resumed)
      #expect((again.flags == 0x200) == (expected == .yes))
    }
    // A jump to an address needs no jump back.
    let (_, absolute) = try stepped(X86Instruction(opcode: 0xc3, length: 1), endsAt: 0x5000)
    #expect(absolute.entry(Self.fork)?.instruction.boost == .yes)
  }

  @Test("with hardware stepping a copy with a post-handler behind it is stepped at every hit")
  func notBoostedWithPost() throws {
    var (fixture, _) = fixture(
      X86Instruction(opcode: 0x55, length: 1, canBoost: true), .k7, handlers: .post,
      isPreemptible: false)
    for _ in 0..<2 {
      #expect(fixture.run(Self.fork)?.instructionPointer == Self.fork + 1)
    }
    #expect(fixture.log == ["post 0", "post 0"])
    #expect(fixture.entry(Self.fork)?.instruction.boost == .yes)
  }

  @Test("with breakpoint stepping a copy that runs on runs on past a post-handler that came later")
  func boostedPastLatePost() throws {
    var (fixture, _) = fixture(
      X86Instruction(opcode: 0x55, length: 1, canBoost: true), isPreemptible: false)
    _ = try fixture.probe(Self.fork, .post)
    #expect(fixture.hit(Self.fork).resumed?.instructionPointer == KprobeFixture.slots)
    #expect(fixture.processor.running == .none)
  }

  @Test("re-entry into a copy that runs on leaves the outer probe running")
  func boostedReentry() throws {
    var (fixture, _) = fixture(
      X86Instruction(opcode: 0x55, length: 1, canBoost: true), isPreemptible: false)
    _ = try fixture.probe(KprobeFixture.read)
    _ = fixture.hit(KprobeFixture.read)
    let before = fixture.processor
    #expect(fixture.hit(Self.fork).resumed?.instructionPointer == KprobeFixture.slots)
    #expect(fixture.processor == before)
  }
}

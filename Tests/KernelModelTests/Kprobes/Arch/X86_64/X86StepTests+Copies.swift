import KernelModel
import ProbeEvents
import Testing

/// What is put right when the step of a copy has ended, and which traps are the end of one.
extension X86StepTests {
  @Test("with breakpoint stepping only a breakpoint inside the copy's slot ends the step")
  func secondBreakpoint() throws {
    for (distance, isOurs) in [
      (0, false), (1, true), (2, true), (15, true), (16, false),
    ] as [(UInt64, Bool)] {
      var (fixture, _) = fixture(X86Instruction(opcode: 0x55, length: 1))
      let stepping = try #require(fixture.hit(Self.fork, flags: 0x200).resumed)
      #expect(stepping.instructionPointer == KprobeFixture.slots)
      #expect(stepping.flags == 0)
      var registers = stepping
      registers.instructionPointer += distance
      let outcome = fixture.kernel.breakpoint(registers, on: &fixture.processor)
      if isOurs {
        #expect(outcome.resumed?.instructionPointer == Self.fork + distance - 1)
        #expect(outcome.resumed?.flags == 0x200)
      } else {
        #expect(outcome.resumed == nil)
      }
      // The debug trap is nobody's in these kernels.
      #expect(fixture.kernel.stepTrap(registers, on: &fixture.processor) == .declined)
    }
  }

  /// Steps an instruction by hardware; the copy ends at a distance from its start.
  func stepped(
    _ instruction: X86Instruction, flags: UInt64 = 0x202, endsAt distance: UInt64,
    word: UInt64 = 0x77, stepFlags: UInt64? = nil
  ) throws -> (KprobeOutcome, KprobeFixture) {
    var (fixture, _) = fixture(instruction, .k2, isPreemptible: false)
    var registers = try #require(fixture.hit(Self.fork, flags: flags).resumed)
    #expect(registers.instructionPointer == KprobeFixture.slots)
    #expect(registers.flags == flags & ~0x200 | 0x100)
    registers.instructionPointer += distance
    registers.stackWord = word
    if let stepFlags { registers.flags = stepFlags }
    let outcome = fixture.kernel.stepTrap(registers, on: &fixture.processor)
    return (outcome, fixture)
  }

  @Test("with hardware stepping what the copy got wrong is put right")
  func fixUps() throws {
    let slot = KprobeFixture.slots
    func end(
      _ instruction: X86Instruction, endsAt distance: UInt64, word: UInt64 = 0x77
    ) throws -> KprobeRegisters {
      try #require(try stepped(instruction, endsAt: distance, word: word).0.resumed)
    }
    let plain = try end(X86Instruction(opcode: 0x55, length: 1), endsAt: 1)
    #expect(plain.instructionPointer == Self.fork + 1)
    #expect(plain.flags == 0x202)

    let call = try end(
      X86Instruction(opcode: 0xe8, length: 5), endsAt: 0x100, word: slot + 5)
    #expect(call.instructionPointer == Self.fork + 0x100)
    #expect(call.stackWord == Self.fork + 5)

    for modRM in [0xd0, 0xd8] as [UInt8] {
      let indirect = try end(
        X86Instruction(opcode: 0xff, modRM: modRM, length: 2), endsAt: 0x5000, word: slot + 2)
      #expect(indirect.instructionPointer == slot + 0x5000)
      #expect(indirect.stackWord == Self.fork + 2)
    }
    for instruction in [
      X86Instruction(opcode: 0xc2, length: 3), X86Instruction(opcode: 0xc3, length: 1),
      X86Instruction(opcode: 0xca, length: 3), X86Instruction(opcode: 0xcb, length: 1),
      X86Instruction(opcode: 0xcf, length: 1), X86Instruction(opcode: 0xea, length: 7),
      X86Instruction(opcode: 0xff, modRM: 0xe0, length: 2),
      X86Instruction(opcode: 0xff, modRM: 0x28, length: 2),
    ] {
      let absolute = try end(instruction, endsAt: 0x5000)
      #expect(absolute.instructionPointer == slot + 0x5000)
      #expect(absolute.stackWord == 0x77)
    }
    let increment = try end(X86Instruction(opcode: 0xff, modRM: 0xc0, length: 2), endsAt: 2)
    #expect(increment.instructionPointer == Self.fork + 2)

    // The flags of the step were pushed; those of the hit belong there.
    let pushed = try end(X86Instruction(opcode: 0x9c, length: 1), endsAt: 1, word: 0x146)
    #expect(pushed.stackWord == 0x246)
    #expect(pushed.instructionPointer == Self.fork + 1)
  }

  @Test("an instruction's own change of the interrupt flag survives a hardware step")
  func interruptFlag() throws {
    for (opcode, flagsAfter, expected) in [
      (0xfa, 0x102, 0x2), (0xfb, 0x302, 0x202), (0x9d, 0x102, 0x2), (0xcf, 0x102, 0x2),
      (0x55, 0x102, 0x202), (0xfc, 0x102, 0x202),
    ] as [(UInt8, UInt64, UInt64)] {
      let (outcome, _) = try stepped(
        X86Instruction(opcode: opcode, length: 1), endsAt: 1, stepFlags: flagsAfter)
      #expect(outcome.resumed?.flags == expected, "\(opcode)")
    }
  }

  @Test("a trap flag that was set before the hit passes the trap on to who set it")
  func foreignTrapFlag() throws {
    let (outcome, fixture) = try stepped(
      X86Instruction(opcode: 0x55, length: 1), flags: 0x302, endsAt: 1)
    #expect(outcome.passedOn?.instructionPointer == Self.fork + 1)
    #expect(outcome.passedOn?.flags == 0x302)
    #expect(fixture.processor.running == .none)
  }

  @Test("a step trap without a running probe is declined")
  func notOurs() {
    for epoch in [KprobeEpoch.k2, .k8] {
      var fixture = KprobeFixture(epoch)
      let registers = fixture.trapped(at: Self.fork)
      #expect(fixture.kernel.stepTrap(registers, on: &fixture.processor) == .declined)
    }
  }

  @Test("somebody else's breakpoint is stepped where it is, in kernels that let it be probed")
  func foreignBreakpoint() throws {
    var (fixture, error) = fixture(X86Instruction(opcode: 0xcc, length: 1), .k1)
    #expect(error == nil)
    #expect(fixture.hit(Self.fork).resumed?.instructionPointer == Self.fork)
  }

  @Test("a stray breakpoint where a gone probe was has no copy to step")
  func gone() throws {
    var (fixture, _) = fixture(X86Instruction(opcode: 0x55, length: 1))
    fixture.kernel.freedInitialText(Self.fork..<Self.fork + 1)
    #expect(fixture.hit(Self.fork) == .stop(.noCopy))
  }
}

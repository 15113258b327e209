import KernelModel
import ProbeEvents
import Testing

extension X86StepTests {
  @Test func `an instruction of which no more is said has no prefix, no operand and no boost`() {
    // CALL to the register BX, and SLDT to a register, which no second byte tells from VMCALL.
    let call = X86Instruction(opcode: 0xff, modRM: 0xd3, length: 2)
    #expect(
      fixture(call).0.entry(Self.fork)?.instruction.execution == .emulated(.indirectCall(3)))
    let store = X86Instruction(opcode: 0x0f, modRM: 0xc0, length: 3)
    #expect(fixture(store).0.entry(Self.fork)?.instruction.execution == .stepped)
    let plain = X86Instruction(opcode: 0x55, length: 1)
    #expect(fixture(plain, isPreemptible: false).0.entry(Self.fork)?.instruction.boost == .no)
  }

  @Test
  func `with hardware stepping a copy that may run on is stepped for a post-handler`() throws {
    let boostable = X86Instruction(opcode: 0x55, length: 1, canBoost: true)
    for handlers in [[], .post] as [KprobeHandlers] {
      var (fixture, _) = fixture(boostable, .k7, handlers: handlers, isPreemptible: false)
      let first = try #require(fixture.hit(Self.fork).resumed)
      #expect(fixture.answer(fixture.endStep(first, length: 1)).resumed != nil)
      #expect(fixture.entry(Self.fork)?.instruction.boost == .yes)
      let isStepped = try #require(fixture.hit(Self.fork).resumed).flags & 0x100 != 0
      #expect(isStepped == (handlers == .post))
    }
  }

  @Test
  func
    `with breakpoint stepping a copy made to run on does so, and a later post-handler waits in vain`()
    throws
  {
    let boostable = X86Instruction(opcode: 0x55, length: 1, canBoost: true)
    var (fixture, _) = fixture(boostable, isPreemptible: false)
    _ = try fixture.probe(Self.fork, .post)
    let registers = try #require(fixture.hit(Self.fork, flags: 0x200).resumed)
    #expect(registers.instructionPointer == KprobeFixture.slots)
    // Interrupts stay on: this is no step.
    #expect(registers.flags == 0x200)
    #expect(fixture.processor.running == .none)
  }

  @Test(arguments: [KprobeEpoch.k0, .k1])
  func `after a jprobe by the function tracer the tracer's call counts as executed`(
    epoch: KprobeEpoch
  ) throws {
    var text = KprobeFixture.text()
    text.ftraceCalls = [Self.fork..<Self.fork + 5]
    var fixture = KprobeFixture(epoch, text: text)
    let id = try fixture.probe(Self.fork, [.pre, .breakpoint])
    // Its pre-handler goes to the jprobe's function, which ends with a breakpoint.
    fixture.results[id.rawValue] = 1
    let entry = KprobeRegisters(instructionPointer: Self.fork + 5)
    let away = fixture.answer(
      fixture.kernel.ftraceHit(Self.fork, entry, on: &fixture.processor))
    #expect(away.resumed != nil)
    #expect(fixture.processor.running != .none)
    let end = fixture.answer(fixture.hit(KprobeFixture.write))
    #expect(fixture.log == ["ftracePre 0", "breakpoint 0"])
    #expect(end.resumed?.instructionPointer == Self.fork + 5)
    #expect(fixture.processor.running == .none)
  }
}

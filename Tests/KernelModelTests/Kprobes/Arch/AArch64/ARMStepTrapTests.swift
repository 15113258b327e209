import KernelModel
import ProbeEvents
import Testing

extension ARMStepTests {
  /// A probe that is stepped by hardware, and the registers at the end of the step.
  private func ended(
    _ epoch: KprobeEpoch, isUser: Bool
  ) throws -> (KprobeFixture, KprobeRegisters) {
    var (fixture, _) = fixture(0x9100_0400, epoch)
    var registers = try #require(fixture.hit(Self.fork).resumed)
    registers.instructionPointer += 4
    registers.isUser = isUser
    return (fixture, registers)
  }

  @Test(arguments: [KprobeEpoch.k0, .k1, .k2, .k3, .k4, .k5])
  func `a step that ends in user mode is a kprobe's in the first kernels only`(
    epoch: KprobeEpoch
  ) throws {
    for isUser in [true, false] {
      let isOurs = !isUser || epoch < .k3
      var (fixture, registers) = try ended(epoch, isUser: isUser)
      let outcome = fixture.kernel.stepTrap(registers, on: &fixture.processor)
      #expect(outcome.resumed?.instructionPointer == (isOurs ? Self.fork + 4 : nil))

      // The same by the exception's entry.
      (fixture, registers) = try ended(epoch, isUser: isUser)
      var breakpoints = ARMSuspendedBreakpoints()
      let conclusion = fixture.kernel.debugException(
        .step(registers), hooks: ARMDebugHooks(), breakpoints: &breakpoints,
        on: &fixture.processor)
      if isOurs {
        #expect(conclusion == .kprobe(outcome))
      } else {
        #expect(conclusion == .trapSignal(code: 2, isSteppedAgain: false))
      }
    }
  }

  @Test(arguments: [KprobeEpoch.k1, .k5])
  func `a step is over once, and a second trap at its end is somebody else's`(
    epoch: KprobeEpoch
  ) throws {
    var (fixture, registers) = try ended(epoch, isUser: false)
    #expect(fixture.processor.stepEnd == registers.instructionPointer)
    #expect(fixture.kernel.stepTrap(registers, on: &fixture.processor).resumed != nil)
    #expect(fixture.processor.stepEnd == nil)
    #expect(fixture.kernel.stepTrap(registers, on: &fixture.processor) == .declined)
  }

  @Test func `a literal of which nothing is known is zero`() throws {
    for word in [0x1800_0041, 0x5800_0041, 0x9800_0041] as [UInt32] {
      #expect(try simulate(word) { $0.general[1] = 5 }.general[1] == 0)
    }
  }
}

import ProbeEvents
import Testing

@testable import KernelModel

@Suite("Single step")
struct SingleStepTests {
  @Test("a step goes to the copy and ends behind the original", arguments: Architecture.allCases)
  func step(architecture: Architecture) throws {
    var kernel = TestKernel(.e7, architecture)
    let registration = try kernel.register()
    #expect(kernel.hit(0x110) == .hit(.stepping))
    #expect(kernel.next == TestKernel.area + kernel.uprobes.rules.slotBytes)
    #expect(kernel.task.step.state == .singleStep)
    #expect(kernel.task.step.address == TestKernel.base + 0x110)
    #expect(kernel.references(registration) == 2)
    #expect(kernel.uprobes.spaces[0].xolArea?.takenCount == 2)

    let length: UInt64 = architecture == .x86_64 ? 2 : 4
    #expect(kernel.endStep(length: length) == .step(.done))
    #expect(kernel.next == TestKernel.base + 0x110 + length)
    #expect(kernel.task.step.state == .running)
    #expect(kernel.task.step.probe == nil && kernel.task.step.xolAddress == 0)
    #expect(kernel.references(registration) == 1)
    #expect(kernel.uprobes.spaces[0].xolArea?.takenCount == 1)
  }

  @Test("what a task has for steps is zero at first, and no trap is all ones of 32 bits in a step")
  func fresh() throws {
    var kernel = TestKernel()
    let step = kernel.task.step
    #expect(step.address == 0 && step.xolAddress == 0 && step.faultNumber == 0)
    #expect(step.savedScratch == 0 && step.savedFaultNumber == 0)
    #expect(!step.savedTrapFlag && !step.isSteppingEnabled)
    #expect(kernel.task.processorState == 0)
    _ = try kernel.register()
    _ = kernel.hit(0x110)
    #expect(kernel.task.step.faultNumber == UInt64(UInt32.max))
  }

  @Test("the scratch register of an operand relative to the instruction holds the original's place")
  func scratch() throws {
    var kernel = TestKernel()
    kernel.uprobes.files[0].instructions[0x180] = .x86(
      .make([0x8b], modRM: 0x05, displacement: [0, 0, 0, 0]))
    _ = try kernel.register(at: 0x180)
    kernel.task.registers[X86Register.si] = 0x51
    #expect(kernel.hit(0x180) == .hit(.stepping))
    #expect(kernel.task.registers[X86Register.si] == TestKernel.base + 0x186)
    #expect(kernel.endStep(length: 6) == .step(.done))
    #expect(kernel.task.registers[X86Register.si] == 0x51)
    #expect(kernel.next == TestKernel.base + 0x186)
  }

  @Test("a step trap of a task that is in no step is not ours")
  func foreignStep() throws {
    var kernel = TestKernel()
    _ = try kernel.register()
    #expect(kernel.endStep() == .notNotified)
    #expect(!kernel.uprobes.claimsStep(&kernel.task))
    _ = kernel.hit(0x110)
    _ = kernel.endStep()
    #expect(kernel.endStep() == .notNotified)
    #expect(kernel.task.step.state == .running)
  }

  @Test("signals wait until the step has ended")
  func deferredSignal() throws {
    var kernel = TestKernel()
    _ = try kernel.register()
    kernel.task.isSignalPending = true
    #expect(kernel.task.deferSignal() == false)
    #expect(kernel.task.isSignalPending)
    _ = kernel.hit(0x110)
    #expect(kernel.task.deferSignal() == true)
    #expect(!kernel.task.isSignalPending)
    #expect(kernel.task.step.state == .singleStep && !kernel.task.isNotified)
    #expect(kernel.endStep() == .step(.done))
    #expect(kernel.task.isSignalPending)
    // The next step has none to give back.
    kernel.task.isSignalPending = false
    _ = kernel.hit(0x110)
    #expect(kernel.endStep() == .step(.done))
    #expect(!kernel.task.isSignalPending)
  }

  @Test("no signal, nothing to defer, but the task is in a step")
  func noSignal() throws {
    var kernel = TestKernel()
    _ = try kernel.register()
    _ = kernel.hit(0x110)
    #expect(kernel.task.deferSignal() == true)
    #expect(kernel.endStep() == .step(.done))
    #expect(!kernel.task.isSignalPending)
  }

  @Test(
    "a fault in the copy or a fatal signal puts the task back to the original",
    arguments: [true, false], Architecture.allCases)
  func putBack(isFatal: Bool, architecture: Architecture) throws {
    var kernel = TestKernel(.e7, architecture)
    _ = try kernel.register()
    _ = kernel.hit(0x110)
    kernel.task.isSignalPending = true
    if isFatal { kernel.task.hasFatalSignal = true } else { kernel.task.step.faultNumber = 14 }
    #expect(kernel.task.deferSignal() == true)
    #expect(kernel.task.step.state == .singleStepTrapped && kernel.task.isNotified)
    let outcome = kernel.uprobes.notifyResume(&kernel.task, memory: &kernel.memory) { _, _ in
      HandlerCall()
    }
    #expect(outcome == .step(.putBack))
    #expect(kernel.task.signals.isEmpty)
    #expect(kernel.next == TestKernel.base + 0x110)
    #expect(kernel.task.isSignalPending)
    #expect(kernel.task.step.state == .running)
    #expect(kernel.uprobes.spaces[0].xolArea?.takenCount == 1)
    // The same instruction is hit again.
    #expect(kernel.hit(0x110) == .hit(.stepping))
  }

  @Test("a task that looks at its probes in the middle of a step loses the step")
  func unexpected() throws {
    var kernel = TestKernel()
    _ = try kernel.register()
    _ = kernel.hit(0x110)
    kernel.task.isNotified = true
    let outcome = kernel.uprobes.notifyResume(&kernel.task, memory: &kernel.memory) { _, _ in
      HandlerCall()
    }
    #expect(outcome == .step(.unexpected))
    #expect(kernel.uprobes.warnings == [.unexpectedStep])
    #expect(kernel.task.signals.isEmpty)
    #expect(kernel.task.step.probe == nil)
  }

  @Test("when all slots are taken the task sleeps until one is free, its handlers having run")
  func waits() throws {
    var kernel = TestKernel()
    let registration = try kernel.register()
    var others: [ProbedTask] = []
    for _ in 1..<32 {
      #expect(kernel.hit(0x110) == .hit(.stepping))
      others.append(kernel.task)
      kernel.task = ProbedTask(space: 0)
    }
    #expect(kernel.hit(0x110) == .hit(.waitsForSlot))
    #expect(kernel.entered.count == 32)
    #expect(kernel.uprobes.resumeWaiting(&kernel.task) == .waitsForSlot)
    #expect(kernel.references(registration) == 1 + 31 + 1)
    let sleeper = kernel.task
    kernel.task = others[4]
    _ = kernel.endStep()
    kernel.task = sleeper
    #expect(kernel.uprobes.resumeWaiting(&kernel.task) == .stepping)
    #expect(kernel.task.step.xolAddress == TestKernel.area + 5 * 128)
    #expect(kernel.entered.count == 32)
    #expect(kernel.uprobes.resumeWaiting(&kernel.task) == nil)
    #expect(kernel.references(registration) == 1 + 31)
  }

  @Test("without room for the XOL page the hit is repeated for ever")
  func noRoom() throws {
    var kernel = TestKernel()
    _ = try kernel.register()
    kernel.uprobes.spaces[0].xolPlace = nil
    for _ in 0..<3 {
      #expect(kernel.hit(0x110) == .hit(.restartsUnsteppable(.outOfMemory)))
      #expect(kernel.next == TestKernel.base + 0x110)
    }
    #expect(kernel.entered.count == 3)
  }

  @Test("since 6.12 a probe about to go is not stepped")
  func dyingProbe() throws {
    var kernel = TestKernel(.e7)
    let registration = try kernel.register()
    let last = kernel.uprobes.probes[0]
    kernel.uprobes.unregister(registration)
    #expect(kernel.references(registration) == 0)
    // A task that has read the breakpoint just before still finds the probe.
    kernel.uprobes.spaces[0].sites[TestKernel.base + 0x110] = .breakpoint
    #expect(kernel.hit(0x110) == .hit(.restartsUnsteppable(.dyingProbe)))
    #expect(last.isActive)
    kernel.uprobes.runDeferredWork()
    #expect(kernel.hit(0x110) == .hit(.stray))
  }

  @Test("a fix-up that fails for good is ignored until 3.15 and kills since 3.16")
  func failedFixUp() {
    #expect(UprobeRules.FailedFixUp(.e1) == .ignored)
    #expect(UprobeRules.FailedFixUp(.e2) == .illegalInstruction)
  }
}

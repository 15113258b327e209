import ProbeEvents
import Testing

@testable import KernelModel

@Suite("Returns of hits")
struct ReturnTests {
  static func calls(_ outcome: NotifyOutcome) -> [ReturnHandlerCall]? {
    if case .hit(.trampoline(.returned, let calls)) = outcome { calls } else { nil }
  }

  @Test(
    "an entry puts the trampoline in the return slot, the arrival goes to the caller",
    arguments: Epoch.allCases, Architecture.allCases)
  func callAndReturn(epoch: Epoch, architecture: Architecture) throws {
    var kernel = TestKernel(epoch, architecture)
    kernel.task.registers[30] = TestKernel.caller
    _ = try kernel.register(TestKernel.returning)
    _ = kernel.hit(0x110)
    _ = kernel.endStep()
    let slot =
      architecture == .x86_64
      ? kernel.memory.readWord(at: TestKernel.stack, bytes: 8) : kernel.task.registers[30]
    #expect(slot == TestKernel.area)
    #expect(kernel.task.returns.returnInstances.count == 1)
    #expect(Self.calls(kernel.returns()) == [ReturnHandlerCall(consumer: 1)])
    #expect(kernel.next == TestKernel.caller)
    #expect(kernel.task.pending.isEmpty)
  }

  @Test("the trampoline without a return instance is a signal", arguments: Epoch.allCases)
  func withoutInstance(epoch: Epoch) throws {
    var kernel = TestKernel(epoch)
    _ = try kernel.register()
    _ = kernel.hit(0x110)
    _ = kernel.endStep()
    let outcome = kernel.returns()
    #expect(outcome == .hit(.trampoline(.signal(epoch < .e3 ? 5 : 4), handlers: [])))
    #expect(kernel.task.signals == [epoch < .e3 ? .trapSent : .illegal])
    #expect(kernel.task.signals.map(\.number) == [epoch < .e3 ? 5 : 4])
    #expect(kernel.uprobes.warnings == [.noReturnInstance])
  }

  @Test("a return slot that cannot be read or written gives no instance")
  func memoryFails() throws {
    for isClosed in [false, true] {
      var kernel = TestKernel()
      _ = try kernel.register(TestKernel.both)
      if isClosed { kernel.memory.isClosed = true } else { kernel.memory.bytes = [:] }
      #expect(kernel.hit(0x110) == .hit(.stepping))
      #expect(kernel.task.returns.returnInstances.isEmpty && kernel.task.pending.isEmpty)
    }
  }

  @Test("without room for the XOL page there is no instance")
  func noRoom() throws {
    var kernel = TestKernel()
    kernel.uprobes.spaces[0].xolPlace = nil
    _ = try kernel.register(TestKernel.both, at: 0x100)
    #expect(kernel.hit(0x100) == .hit(.emulated))
    #expect(kernel.task.returns.returnInstances.isEmpty)
    #expect(kernel.memory.readWord(at: TestKernel.stack, bytes: 8) == TestKernel.caller)
  }

  @Test("the 65th pending return is left alone")
  func depth() throws {
    var kernel = TestKernel()
    _ = try kernel.register(TestKernel.both)
    for depth in 0..<65 as Range<UInt64> {
      let slot = TestKernel.stack - 16 * depth
      kernel.task.registers[kernel.stackPointer] = slot
      _ = kernel.memory.writeWord(TestKernel.caller, at: slot, bytes: 8)
      _ = kernel.hit(0x110)
      _ = kernel.endStep()
      let word = kernel.memory.readWord(at: slot, bytes: 8)
      #expect(word == (depth < 64 ? TestKernel.area : TestKernel.caller))
    }
    #expect(kernel.task.pending.count == 64)
  }

  @Test("an instruction hit twice is chained, and one return runs its handlers twice")
  func chained() throws {
    var kernel = TestKernel()
    _ = try kernel.register(TestKernel.both)
    _ = kernel.hit(0x110)
    kernel.task.isSignalPending = true
    kernel.task.hasFatalSignal = true
    _ = kernel.task.deferSignal()
    _ = kernel.uprobes.notifyResume(&kernel.task, memory: &kernel.memory) { _, _ in
      HandlerCall()
    }
    _ = kernel.hit(0x110)
    _ = kernel.endStep()
    #expect(kernel.task.returns.returnInstances[0].isChained)
    #expect(Self.calls(kernel.returns())?.count == 2)
    #expect(kernel.next == TestKernel.caller)
  }

  @Test("a forged trampoline address without an instance warns and gives none")
  func forged() throws {
    var kernel = TestKernel()
    _ = try kernel.register(TestKernel.both)
    _ = kernel.memory.writeWord(TestKernel.area, at: TestKernel.stack, bytes: 8)
    _ = kernel.hit(0x110)
    #expect(kernel.uprobes.warnings == [.tailCall])
    #expect(kernel.task.pending.isEmpty)
  }

  @Test("instances left by longjmp let go of their probes, at an entry and at a return")
  func dropped() throws {
    for way in 0..<2 {
      var kernel = TestKernel(.e3)
      let registration = try kernel.register(TestKernel.returning, at: 0x100)
      for slot in [0x6800, 0x6700] as [UInt64] + (way == 0 ? [] : [0x6600]) {
        _ = kernel.memory.writeWord(slot, at: slot, bytes: 8)
        kernel.task.registers[kernel.stackPointer] = slot
        _ = kernel.hit(0x100)
      }
      if way == 0 {
        kernel.task.registers[kernel.stackPointer] = TestKernel.stack
        _ = kernel.hit(0x100)
        #expect(kernel.task.pending.map(\.entry) == [3])
        #expect(kernel.references(registration) == 2)
      } else {
        kernel.task.registers[kernel.stackPointer] = 0x6808
        let outcome = kernel.trap(at: TestKernel.area)
        #expect(Self.calls(outcome)?.count == 1)
        #expect(kernel.next == 0x6800)
        #expect(kernel.task.pending.isEmpty)
        #expect(kernel.references(registration) == 1)
      }
    }
  }

  @Test("who registers after the entry hears of the return until 6.12", arguments: Epoch.allCases)
  func lateConsumer(epoch: Epoch) throws {
    var kernel = TestKernel(epoch)
    let first = try kernel.register(TestKernel.both)
    _ = kernel.hit(0x110, HandlerCall(cookie: 9))
    _ = kernel.endStep()
    _ = try kernel.register(TestKernel.both)
    let pure = try kernel.register(TestKernel.returning)
    let calls = Self.calls(kernel.returns())
    if epoch < .e6 {
      #expect(calls?.map(\.consumer) == [3, 2, 1])
    } else {
      #expect(
        calls == [
          ReturnHandlerCall(consumer: pure.consumer),
          ReturnHandlerCall(consumer: first.consumer, cookie: 9),
        ])
    }
  }

  @Test("a session that ignores the call's return is not told, a pure consumer is")
  func ignored() throws {
    var kernel = TestKernel(.e7)
    _ = try kernel.register(TestKernel.both)
    _ = kernel.hit(0x110, HandlerCall(.ignoreReturn))
    _ = kernel.endStep()
    #expect(kernel.task.pending.isEmpty)
    _ = try kernel.register(TestKernel.returning)
    _ = kernel.hit(0x110, HandlerCall(.ignoreReturn))
    _ = kernel.endStep()
    #expect(Self.calls(kernel.returns())?.map(\.consumer) == [2])
  }

  @Test(
    "a forked child returns through its own page, with holds of its own", arguments: Epoch.allCases)
  func fork(epoch: Epoch) throws {
    var kernel = TestKernel(epoch)
    let registration = try kernel.register(TestKernel.both)
    _ = kernel.hit(0x110, HandlerCall(cookie: 4))
    _ = kernel.endStep()
    let duplicated = kernel.uprobes.duplicated(0)
    let space = try #require(duplicated)
    // Its page is where the parent's is, not where it would have been by itself.
    kernel.uprobes.spaces[space].xolPlace = 0x7fff_0000_0000
    kernel.task.processorState = 0x6000_0000
    let child = kernel.uprobes.copied(&kernel.task, as: .fork, space: space)
    #expect(child.processorState == 0x6000_0000)
    guard epoch >= .e2 else {
      #expect(child.pending.isEmpty && !child.hasUtask)
      #expect(kernel.uprobes.spaces[space].xolArea == nil)
      return
    }
    #expect(kernel.uprobes.spaces[space].xolArea?.address == TestKernel.area)
    #expect(child.lastEntry == kernel.task.lastEntry && child.lastEntry == 1)
    #expect(child.pending.map(\.hold.state) == [.stable])
    #expect(kernel.task.pending.map(\.hold.state) == [.stable])
    #expect(kernel.references(registration) == 3)
    #expect(Self.calls(kernel.returns())?.count == 1)
    kernel.task = child
    #expect(
      Self.calls(kernel.returns())
        == [ReturnHandlerCall(consumer: 1, cookie: epoch < .e6 ? nil : 4)])
    #expect(kernel.references(registration) == 1)
  }

  @Test("threads start empty, vfork children share the page")
  func otherChildren() throws {
    var kernel = TestKernel()
    _ = try kernel.register(TestKernel.both)
    _ = kernel.hit(0x110)
    _ = kernel.endStep()
    #expect(kernel.uprobes.copied(&kernel.task, as: .thread, space: 0).pending.isEmpty)
    kernel.uprobes.spaces[0].xolPlace = nil
    let child = kernel.uprobes.copied(&kernel.task, as: .vfork, space: 0)
    #expect(child.pending.count == 1 && child.hasUtask)
    #expect(kernel.uprobes.spaces[0].xolArea?.address == TestKernel.area)
  }

  @Test("a task that ends lets go of everything", arguments: Epoch.allCases)
  func end(epoch: Epoch) throws {
    var kernel = TestKernel(epoch)
    let registration = try kernel.register(TestKernel.both)
    _ = kernel.hit(0x110)
    #expect(kernel.references(registration) == (epoch < .e6 ? 3 : 2))
    kernel.task.isNotified = true
    kernel.uprobes.free(&kernel.task)
    #expect(!kernel.task.isNotified)
    #expect(kernel.references(registration) == 1)
    #expect(kernel.uprobes.spaces[0].xolArea?.takenCount == 1)
    #expect(kernel.task.returns.returnInstances.isEmpty && !kernel.task.hasUtask)
    #expect(kernel.task.step.probe == nil && kernel.task.timer.deadlineMilliseconds == nil)
  }

  @Test("a sleeping task that ends lets go of its probe")
  func sleepingEnd() throws {
    var kernel = TestKernel()
    let registration = try kernel.register()
    for _ in 0..<32 {
      kernel.task = ProbedTask(space: 0)
      _ = kernel.hit(0x110)
    }
    #expect(kernel.references(registration) == 33)
    kernel.uprobes.free(&kernel.task)
    #expect(kernel.references(registration) == 32)
    #expect(kernel.uprobes.resumeWaiting(&kernel.task) == nil)
  }
}

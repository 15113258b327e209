import ProbeEvents
import Testing

@testable import KernelModel

@Suite("Optimised sites")
struct OptimizedSiteTests {
  static let trampoline: UInt64 = 0x41_0000

  /// A kernel whose nop at the offset was hit once.
  static func kernel(
    _ epoch: Epoch, at offset: UInt64, _ consumer: Consumer = TestKernel.entry,
    place: UInt64? = trampoline
  ) throws -> TestKernel {
    var kernel = TestKernel(epoch)
    kernel.uprobes.spaces[0].optimizedTrampolinePlace = place
    _ = try kernel.register(consumer, at: offset)
    #expect(kernel.hit(offset) == .hit(.emulated))
    return kernel
  }

  /// The task runs through the optimised site: the call and the trampoline's pushes, then the system
  /// call.
  static func call(
    _ kernel: inout TestKernel, at offset: UInt64, ip: UInt64 = trampoline + 14,
    change: (inout RegisterFile) -> Void = { _ in }
  ) -> UprobeSyscallOutcome {
    let size = kernel.uprobes.optimizedSiteBytes
    let pushed = [11, 22, 33, TestKernel.base + offset + size] as [UInt64]
    let bottom = TestKernel.stack - kernel.uprobes.optimizedSiteRedZone - 32
    for (index, word) in pushed.enumerated() where !kernel.memory.isClosed {
      _ = kernel.memory.writeWord(word, at: bottom + 8 * UInt64(index), bytes: 8)
    }
    kernel.task.registers[X86Register.sp] = bottom
    kernel.task.registers[X86Register.ip] = ip
    var entered = kernel.entered
    defer { kernel.entered = entered }
    return kernel.uprobes.handleUprobeSyscall(&kernel.task, memory: &kernel.memory) {
      consumer, registers in
      entered.append(consumer.identity)
      change(&registers)
      return HandlerCall()
    }
  }

  static let sites: [(Epoch, UInt64, UInt64)] = [(.e8, 0x130, 5), (.e9, 0x140, 10)]

  @Test("after the first hit the nop is a call, and hits come by system call", arguments: sites)
  func optimized(epoch: Epoch, offset: UInt64, size: UInt64) throws {
    var kernel = try Self.kernel(epoch, at: offset)
    #expect(kernel.contents(offset) == .optimizedCall)
    var seen = RegisterFile()
    #expect(Self.call(&kernel, at: offset) { seen = $0 } == .returned)
    #expect(kernel.entered == [1, 1])
    #expect(seen[X86Register.ip] == TestKernel.base + offset)
    #expect(seen[X86Register.sp] == TestKernel.stack)
    #expect(seen[X86Register.ax] == 11 && seen[X86Register.r11] == 22)
    #expect(seen[X86Register.cx] == 33)
    #expect(kernel.next == TestKernel.base + offset + size)
    #expect(kernel.task.registers[X86Register.sp] == TestKernel.stack)
  }

  @Test("the call leaves the red zone of the longer nop alone, the shorter has none to leave")
  func redZone() {
    for (epoch, bytes) in [(Epoch.e7, UInt64(0)), (.e8, 0), (.e9, 128)] {
      #expect(TestKernel(epoch).uprobes.optimizedSiteRedZone == bytes)
    }
  }

  @Test("time that nobody tells begins at zero: the timer of a pending return runs from there")
  func untoldTime() throws {
    for isOptimized in [true, false] {
      var kernel = try Self.kernel(.e8, at: 0x130, TestKernel.both)
      _ = try kernel.register(TestKernel.both)
      kernel.task = ProbedTask(space: 0)
      kernel.task.registers[kernel.stackPointer] = TestKernel.stack
      _ = kernel.memory.writeWord(TestKernel.caller, at: TestKernel.stack, bytes: 8)
      if isOptimized {
        #expect(Self.call(&kernel, at: 0x130) == .returned)
      } else {
        kernel.task.registers[kernel.instructionPointer] = TestKernel.base + 0x111
        #expect(kernel.uprobes.claimsBreakpoint(&kernel.task))
        _ = kernel.uprobes.notifyResume(&kernel.task, memory: &kernel.memory) { _, _ in
          HandlerCall()
        }
      }
      #expect(kernel.task.timer.deadlineMilliseconds == 100)
    }
  }

  @Test("no other kernels do that", arguments: Epoch.allCases)
  func epochs(epoch: Epoch) throws {
    var kernel = TestKernel(epoch)
    kernel.uprobes.spaces[0].optimizedTrampolinePlace = Self.trampoline
    _ = try kernel.register(at: 0x130)
    _ = kernel.hit(0x130)
    #expect(kernel.contents(0x130) == (epoch == .e8 ? .optimizedCall : .breakpoint))
    #expect(UprobeRules(epoch: epoch, architecture: .aarch64).optimizedSites == .none)
  }

  @Test("the system call from elsewhere is refused, with another number since 7.2")
  func elsewhere() throws {
    for (epoch, offset, errno) in [(Epoch.e8, UInt64(0x130), Int32(6)), (.e9, 0x140, 71)] {
      var kernel = try Self.kernel(epoch, at: offset)
      for ip in [Self.trampoline - 1, Self.trampoline + 4096, 0] {
        #expect(Self.call(&kernel, at: offset, ip: ip) == .refused(errno: errno))
      }
      #expect(kernel.entered == [1] && kernel.task.signals.isEmpty)
      var before = TestKernel(epoch)
      before.uprobes.spaces[0].optimizedTrampolinePlace = Self.trampoline
      #expect(Self.call(&before, at: offset) == .refused(errno: errno))
    }
    var old = TestKernel(.e7)
    #expect(Self.call(&old, at: 0x130) == .refused(errno: 6))
  }

  @Test("what the trampoline pushed must be readable and writable", arguments: sites)
  func memory(epoch: Epoch, offset: UInt64, size: UInt64) throws {
    var kernel = try Self.kernel(epoch, at: offset)
    kernel.memory.isClosed = true
    kernel.memory.bytes = [:]
    #expect(Self.call(&kernel, at: offset) == .illegal)
    #expect(kernel.entered == [1])
    var closing = try Self.kernel(epoch, at: offset)
    _ = Self.call(&closing, at: offset)
    closing.memory.isClosed = true
    #expect(Self.call(&closing, at: offset) == .illegal)
    #expect(closing.entered == [1, 1, 1])
    #expect(closing.task.signals == [.illegal])
  }

  @Test("a handler can send the task elsewhere, and give it another stack", arguments: sites)
  func moved(epoch: Epoch, offset: UInt64, size: UInt64) throws {
    var kernel = try Self.kernel(epoch, at: offset)
    #expect(Self.call(&kernel, at: offset) { $0[X86Register.ip] = 0x1234 } == .returned)
    #expect(kernel.next == 0x1234)
    let bottom = TestKernel.stack - kernel.uprobes.optimizedSiteRedZone - 32
    #expect(kernel.memory.readWord(at: bottom + 24, bytes: 8) == 0x1234)
    #expect(Self.call(&kernel, at: offset) { $0[X86Register.sp] = 0x5000 } == .returned)
    #expect(kernel.next == TestKernel.base + offset + size)
    #expect(kernel.task.registers[X86Register.sp] == 0x5000)
    // What handlers change of the registers reaches the trampoline.
    _ = Self.call(&kernel, at: offset) { $0[X86Register.cx] = 77 }
    #expect(kernel.memory.readWord(at: bottom + 16, bytes: 8) == 77)
    _ = Self.call(&kernel, at: offset) { registers in
      registers[X86Register.ax] = 1
      registers[X86Register.r11] = 2
      registers[X86Register.cx] = 3
    }
    let words = (0..<4).map { kernel.memory.readWord(at: bottom + 8 * $0, bytes: 8) }
    #expect(words == [1, 2, 3, TestKernel.base + offset + size])
    #expect(kernel.memory.readWord(at: TestKernel.stack, bytes: 8) == TestKernel.caller)
  }

  @Test("a return at an optimised site is pending like any other", arguments: sites)
  func returnInstance(epoch: Epoch, offset: UInt64, size: UInt64) throws {
    var kernel = try Self.kernel(epoch, at: offset, TestKernel.both)
    #expect(kernel.task.pending.count == 1)
    _ = kernel.returns()
    kernel.task.registers[kernel.stackPointer] = TestKernel.stack
    _ = kernel.memory.writeWord(TestKernel.caller, at: TestKernel.stack, bytes: 8)
    #expect(Self.call(&kernel, at: offset) == .returned)
    #expect(kernel.task.pending.count == 1)
    #expect(kernel.memory.readWord(at: TestKernel.stack, bytes: 8) == TestKernel.area)
  }

  @Test("the system call of a probe that is gone runs no handler")
  func gone() throws {
    var kernel = try Self.kernel(.e8, at: 0x130)
    kernel.uprobes.unregister(Registration(probe: UprobeIdentity(rawValue: 1), consumer: 1))
    #expect(kernel.contents(0x130) == .original)
    kernel.uprobes.runDeferredWork()
    #expect(Self.call(&kernel, at: 0x130) == .returned)
    #expect(kernel.entered == [1])
    #expect(kernel.next == TestKernel.base + 0x135)
  }

  @Test("a failure is remembered and not tried again: no room, out of reach, no memory, 32 bits")
  func failure() throws {
    let site = TestKernel.base + 0x130 + 5
    for (place, works) in [
      (nil, false), (site &+ 0x8000_0000, true), (site &+ 0x8000_0001, false),
      (site &- 0x7fff_ffff, true), (site &- 0x8000_0000, false),
    ] as [(UInt64?, Bool)] {
      var kernel = try Self.kernel(.e8, at: 0x130, place: place)
      #expect(kernel.contents(0x130) == (works ? .optimizedCall : .breakpoint))
      #expect(kernel.uprobes.probes[0].optimizationFailed == !works)
      guard !works else { continue }
      kernel.uprobes.spaces[0].optimizedTrampolinePlace = Self.trampoline
      _ = kernel.hit(0x130)
      #expect(kernel.contents(0x130) == .breakpoint)
    }
    var compat = TestKernel(.e8)
    compat.uprobes.spaces[0].optimizedTrampolinePlace = Self.trampoline
    compat.task.isCompat = true
    _ = try compat.register(at: 0x130)
    compat.uprobes.allocationsLeft = 1
    _ = compat.hit(0x130)
    #expect(compat.uprobes.probes[0].optimizationFailed)
    var poor = TestKernel(.e8)
    poor.uprobes.spaces[0].optimizedTrampolinePlace = Self.trampoline
    _ = try poor.register(at: 0x130)
    poor.uprobes.allocationsLeft = 1
    _ = poor.hit(0x130)
    #expect(poor.uprobes.probes[0].optimizationFailed)
  }

  @Test("a call counts as a placed breakpoint, and is removed like one")
  func placedAndRemoved() throws {
    var kernel = try Self.kernel(.e8, at: 0x130)
    let second = try kernel.register(at: 0x130)
    #expect(kernel.contents(0x130) == .optimizedCall)
    kernel.uprobes.unregister(second)
    #expect(kernel.contents(0x130) == .optimizedCall)
    kernel.uprobes.unregister(Registration(probe: second.probe, consumer: 1))
    #expect(kernel.contents(0x130) == .original)
  }

  @Test("the trampoline's page is inherited since 7.2", arguments: sites)
  func fork(epoch: Epoch, offset: UInt64, size: UInt64) throws {
    var kernel = try Self.kernel(epoch, at: offset)
    let duplicated = kernel.uprobes.duplicated(0)
    let child = try #require(duplicated)
    #expect(kernel.contents(offset, space: child) == .optimizedCall)
    #expect(kernel.uprobes.spaces[child].hasOptimizedTrampoline == (epoch == .e9))
  }
}

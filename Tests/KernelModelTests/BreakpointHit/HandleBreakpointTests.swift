import ProbeEvents
import Testing

@testable import KernelModel

@Suite("Breakpoint hits")
struct HandleBreakpointTests {
  static let site = TestKernel.base + 0x110

  @Test("a breakpoint trap is claimed if the process has probes or the task pending returns")
  func claims() throws {
    var kernel = TestKernel()
    #expect(!kernel.uprobes.claimsBreakpoint(&kernel.task))
    #expect(kernel.hit(0x110) == .notNotified)
    let registration = try kernel.register(TestKernel.both)
    #expect(kernel.hit(0x110) == .hit(.stepping))
    _ = kernel.endStep()
    kernel.uprobes.unregister(registration)
    kernel.uprobes.runDeferredWork()
    kernel.uprobes.spaces[0].hasUprobes = false
    // The return is pending longer than the probe lived.
    #expect(
      kernel.returns() == .hit(.trampoline(.returned(to: TestKernel.caller), handlers: [])))
    #expect(kernel.returns() == .notNotified)
    kernel.task.space = 9
    #expect(!kernel.uprobes.claimsBreakpoint(&kernel.task))
    #expect(kernel.hit(0x110) == .notNotified)
  }

  @Test("a mapping that became writable keeps its probes, and is searched for others")
  func writable() throws {
    var kernel = TestKernel()
    let first = try kernel.register()
    let second = try kernel.register(at: 0x100)
    kernel.uprobes.spaces[0].mappings[0].isWritable = true
    #expect(kernel.hit(0x110) == .hit(.stepping))
    _ = kernel.endStep()
    kernel.uprobes.unregister(first)
    kernel.uprobes.runDeferredWork()
    #expect(kernel.hit(0x110) == .hit(.restartsWithoutProbe))
    #expect(kernel.uprobes.spaces[0].hasUprobes)
    kernel.uprobes.unregister(second)
    kernel.uprobes.runDeferredWork()
    #expect(kernel.contents(0x100) == .original)
    #expect(kernel.hit(0x110) == .hit(.restartsWithoutProbe))
    #expect(!kernel.uprobes.spaces[0].hasUprobes)
  }

  @Test("mappings without bytes hold no probes, and are not walked through")
  func emptyMappings() throws {
    for end in [TestKernel.base, TestKernel.base - 0x1000] {
      var kernel = TestKernel()
      _ = try kernel.register()
      var space = AddressSpace()
      space.mappings = [
        Mapping(start: TestKernel.base, end: end, inode: TestKernel.inode, fileOffset: 0x110)
      ]
      kernel.task.space = kernel.uprobes.add(space)
      kernel.uprobes.spaces[kernel.task.space].hasUprobes = true
      kernel.uprobes.spaces[kernel.task.space].recalculates = true
      #expect(kernel.hit(0x110) == .hit(.restartsWithoutProbe))
      #expect(!kernel.uprobes.spaces[kernel.task.space].hasUprobes)
    }
  }

  @Test("a push of a 32-bit task is emulated with four bytes")
  func compatPush() throws {
    var kernel = TestKernel()
    _ = try kernel.register(at: 0x100)
    kernel.task.isCompat = true
    kernel.task.registers[X86Register.bp] = 0x77
    #expect(kernel.hit(0x100) == .hit(.emulated))
    #expect(kernel.task.registers[X86Register.sp] == TestKernel.stack - 4)
    #expect(kernel.memory.readWord(at: TestKernel.stack - 4, bytes: 4) == 0x77)
  }

  @Test("handlers that take the breakpoint out leave nothing to optimise")
  func removedBeforeOptimising() throws {
    var kernel = TestKernel(.e8)
    kernel.uprobes.spaces[0].optimizedTrampolinePlace = 0x41_0000
    var picky = TestKernel.entry
    picky.filter = .spaces([0])
    _ = try kernel.register(picky, at: 0x130)
    kernel.uprobes.probes[0].consumers[0].filter = .spaces([])
    #expect(kernel.hit(0x130, HandlerCall(.remove)) == .hit(.emulated))
    #expect(kernel.contents(0x130) == .original)
    #expect(!kernel.uprobes.spaces[0].hasOptimizedTrampoline)
  }

  @Test("what is removed is removed from mappings of the probe's file alone, writable or not")
  func removalByFile() throws {
    var kernel = TestKernel(.e3)
    _ = try kernel.register()
    var other = TestKernel.text
    (other.start, other.end, other.inode) = (0x50_0000, 0x50_1000, 8)
    kernel.uprobes.mapped(other, in: 0)
    kernel.uprobes.spaces[0].sites[0x50_0110] = .breakpoint
    kernel.uprobes.spaces[0].mappings[0].isWritable = true
    _ = kernel.hit(0x110, HandlerCall(.remove))
    #expect(kernel.contents(0x110) == .original)
    #expect(kernel.uprobes.spaces[0].contents(at: 0x50_0110) == .breakpoint)
  }

  @Test("somebody else's breakpoint raises SIGTRAP", arguments: Epoch.allCases)
  func stray(epoch: Epoch) throws {
    var kernel = TestKernel(epoch)
    _ = try kernel.register()
    kernel.uprobes.spaces[0].sites[Self.site + 8] = .breakpoint
    #expect(kernel.hit(0x118) == .hit(.stray))
    #expect(kernel.task.signals == [epoch < .e3 ? .trapSent : .trapForced])
    #expect(kernel.task.signals.map(\.number) == [5])
    // The instruction pointer stays where the processor left it.
    #expect(kernel.next == Self.site + 9)
  }

  @Test("a breakpoint that is gone, and one that was unmapped, are executed again as they are")
  func gone() throws {
    var kernel = TestKernel()
    _ = try kernel.register()
    #expect(kernel.hit(0x118) == .hit(.restartsWithoutProbe))
    #expect(kernel.next == Self.site + 8)
    #expect(kernel.trap(at: 0x90_0000) == .hit(.restartsWithoutProbe))
    #expect(kernel.next == 0x90_0000)
    kernel.uprobes.spaces[0].sites[0x90_0000] = .breakpoint
    #expect(kernel.trap(at: 0x90_0000) == .hit(.restartsWithoutProbe))
    #expect(kernel.task.signals.isEmpty)
  }

  @Test("on arm64 the breakpoint's address is the instruction pointer")
  func arm64Address() throws {
    var kernel = TestKernel(.e8, .aarch64)
    _ = try kernel.register(at: 0x100)
    #expect(kernel.hit(0x100) == .hit(.emulated))
    #expect(kernel.next == TestKernel.base + 0x108)
  }

  @Test("a probe whose instruction was not analysed yet is hit again")
  func unprepared() throws {
    var kernel = TestKernel()
    _ = try kernel.register()
    kernel.uprobes.probes[0].treatment = nil
    #expect(kernel.hit(0x110) == .hit(.restartsUnprepared))
    #expect(kernel.next == Self.site)
    #expect(kernel.entered.isEmpty)
  }

  @Test("without memory for a utask the hit is repeated, before any handler")
  func withoutUtask() throws {
    var kernel = TestKernel()
    _ = try kernel.register()
    kernel.uprobes.allocationsLeft = 0
    #expect(kernel.hit(0x110) == .hit(.restartsWithoutUtask))
    #expect(kernel.next == Self.site && kernel.entered.isEmpty && !kernel.task.hasUtask)
    kernel.uprobes.allocationsLeft = nil
    #expect(kernel.hit(0x110) == .hit(.stepping))
  }

  @Test("handlers see the breakpoint's address, newest consumer first")
  func handlers() throws {
    var kernel = TestKernel()
    _ = try kernel.register()
    _ = try kernel.register()
    var seen: [UInt64] = []
    let pointer = kernel.instructionPointer
    _ = kernel.hit(0x110) { _, registers in
      seen.append(registers[pointer])
      return HandlerCall()
    }
    #expect(seen == [Self.site, Self.site])
    #expect(kernel.entered == [2, 1])
  }

  @Test("an emulated instruction needs no step")
  func emulated() throws {
    var kernel = TestKernel()
    _ = try kernel.register(at: 0x100)
    kernel.task.registers[X86Register.bp] = 0x77
    #expect(kernel.hit(0x100) == .hit(.emulated))
    #expect(kernel.next == TestKernel.base + 0x101)
    #expect(kernel.memory.readWord(at: TestKernel.stack - 8, bytes: 8) == 0x77)
    #expect(kernel.uprobes.spaces[0].xolArea == nil)
  }

  @Test("a push that cannot be emulated is stepped")
  func emulationFails() throws {
    var kernel = TestKernel()
    _ = try kernel.register(at: 0x100)
    kernel.memory.isClosed = true
    #expect(kernel.hit(0x100) == .hit(.stepping))
  }

  @Test(
    "a handler that moves the instruction pointer skips the instruction since 6.18",
    arguments: Epoch.allCases)
  func moved(epoch: Epoch) throws {
    for offset in [0x100, 0x110] as [UInt64] {
      var kernel = TestKernel(epoch)
      _ = try kernel.register(at: offset)
      let pointer = kernel.instructionPointer
      let outcome = kernel.hit(offset) { $0[pointer] = 0x1234 }
      if epoch >= .e8 {
        #expect(outcome == .hit(.moved))
        #expect(kernel.next == 0x1234)
        #expect(kernel.task.registers[X86Register.sp] == TestKernel.stack)
      } else if offset == 0x100, epoch >= .e3 {
        // The push is emulated from where the handler went.
        #expect(outcome == .hit(.emulated))
        #expect(kernel.next == 0x1235)
      } else {
        // The step's fix-up brings it back to the probe.
        #expect(outcome == .hit(.stepping))
        #expect(kernel.endStep() == .step(.done))
        #expect(kernel.next == TestKernel.base + offset + 2)
      }
    }
  }

  @Test(
    "all handlers asking for removal take the breakpoint out of this process",
    arguments: Epoch.allCases)
  func removal(epoch: Epoch) throws {
    var kernel = TestKernel(epoch)
    let second = kernel.addProcess()
    _ = try kernel.register()
    _ = kernel.hit(0x110, HandlerCall(.remove))
    // Since 6.12 the filters are asked again, and a consumer without one wants it.
    #expect(kernel.contents(0x110) == (epoch < .e5 ? .original : .breakpoint))
    #expect(kernel.contents(0x110, space: second) == .breakpoint)
  }

  @Test("since 6.12 the breakpoint leaves only a process that all filters reject")
  func filteredRemoval() throws {
    for epoch in Epoch.allCases where epoch >= .e5 {
      var kernel = TestKernel(epoch)
      var picky = TestKernel.entry
      picky.filter = .spaces([0])
      let registration = try kernel.register(picky)
      _ = kernel.hit(0x110, HandlerCall(.remove))
      _ = kernel.endStep()
      #expect(kernel.contents(0x110) == .breakpoint)
      kernel.uprobes.probes[0].consumers[0].filter = .spaces([])
      _ = kernel.hit(0x110, HandlerCall(.keep))
      _ = kernel.endStep()
      #expect(kernel.contents(0x110) == .breakpoint)
      _ = kernel.hit(0x110, HandlerCall(.remove))
      #expect(kernel.contents(0x110) == .original)
      kernel.uprobes.unregister(registration)
    }
  }

  @Test("a handler's result without meaning makes the kernel warn")
  func badResult() throws {
    var kernel = TestKernel()
    _ = try kernel.register()
    _ = kernel.hit(0x110, HandlerCall(HandlerResult(rawValue: 7)))
    #expect(kernel.uprobes.warnings == [.badHandlerResult])
  }

  @Test("a task that is not notified looks at nothing")
  func notNotified() throws {
    var kernel = TestKernel()
    _ = try kernel.register()
    let outcome = kernel.uprobes.notifyResume(&kernel.task, memory: &kernel.memory) { _, _ in
      HandlerCall()
    }
    #expect(outcome == .notNotified)
  }
}

import ProbeEvents
import Testing

@testable import KernelModel

@Suite("Reference counters")
struct ReferenceCounterTests {
  static let offset: UInt64 = 0x800
  static let address = TestKernel.data + 0x800

  func counted(_ kernel: TestKernel, space: Int = 0) -> Int16 {
    kernel.uprobes.spaces[space].counters[Self.address] ?? 0
  }

  static func kernel(mapsCounters: Bool = true) -> TestKernel {
    var kernel = TestKernel()
    if mapsCounters { kernel.uprobes.mapped(TestKernel.counters, in: 0) }
    return kernel
  }

  @Test("a counter is counted once per probe and process, up and down")
  func upAndDown() throws {
    var kernel = Self.kernel()
    let first = try kernel.register(counter: Self.offset)
    #expect(counted(kernel) == 1)
    let second = try kernel.register(counter: Self.offset)
    #expect(counted(kernel) == 1)
    _ = try kernel.register(at: 0x100, counter: Self.offset)
    #expect(counted(kernel) == 2)
    kernel.uprobes.unregister(first)
    #expect(counted(kernel) == 2)
    kernel.uprobes.unregister(second)
    #expect(counted(kernel) == 1)
    #expect(kernel.uprobes.delayedCounters.isEmpty)
  }

  @Test("a probe without a counter counts nowhere, not at offset zero either")
  func without() throws {
    var kernel = Self.kernel()
    _ = try kernel.register()
    #expect(kernel.uprobes.spaces[0].counters.isEmpty && kernel.uprobes.delayedCounters.isEmpty)
  }

  @Test("a breakpoint that was there already does not count")
  func foreignBreakpoint() throws {
    var kernel = Self.kernel()
    kernel.uprobes.spaces[0].sites[TestKernel.base + 0x110] = .breakpoint
    let registration = try kernel.register(counter: Self.offset)
    #expect(counted(kernel) == 0)
    // Removing what was never counted would make it negative, so the breakpoint stays.
    kernel.uprobes.unregister(registration)
    #expect(kernel.uprobes.warnings == [.negativeReferenceCounter, .leakedProbe])
    #expect(kernel.contents(0x110) == .breakpoint)
    #expect(counted(kernel) == 0)
  }

  @Test("a counter goes with the place it is at, and stays when what is around it goes")
  func unmapped() throws {
    var kernel = Self.kernel()
    _ = try kernel.register(counter: Self.offset)
    kernel.uprobes.unmapped(from: Self.address - 0x100, to: Self.address, in: 0)
    kernel.uprobes.unmapped(from: Self.address + 1, to: Self.address + 0x100, in: 0)
    #expect(counted(kernel) == 1)
    kernel.uprobes.unmapped(from: Self.address, to: Self.address + 1, in: 0)
    #expect(counted(kernel) == 0)
  }

  @Test("a counter that is not mapped yet is counted when it comes, once")
  func delayed() throws {
    var kernel = Self.kernel(mapsCounters: false)
    let registration = try kernel.register(counter: Self.offset)
    #expect(kernel.uprobes.delayedCounters == [DelayedCounter(probe: registration.probe, space: 0)])
    let second = kernel.addProcess()
    kernel.uprobes.mapped(TestKernel.counters, in: 0)
    #expect(counted(kernel) == 1 && counted(kernel, space: second) == 0)
    #expect(kernel.uprobes.delayedCounters.map(\.space) == [second])
    kernel.uprobes.unregister(registration)
    #expect(counted(kernel) == 0)
    #expect(kernel.uprobes.delayedCounters.isEmpty)
  }

  @Test("a delayed counter is forgotten with its process, its program, and its probe")
  func forgotten() throws {
    for way in 0..<3 {
      var kernel = Self.kernel(mapsCounters: false)
      let registration = try kernel.register(counter: Self.offset)
      switch way {
      case 0: kernel.uprobes.ended(0)
      case 1: kernel.uprobes.replaced(0, by: AddressSpace())
      default:
        kernel.uprobes.unmapped(from: TestKernel.base, to: TestKernel.base + 0x1000, in: 0)
        kernel.uprobes.unregister(registration)
        #expect(kernel.uprobes.delayedCounters.count == 1)
        kernel.uprobes.runDeferredWork()
      }
      #expect(kernel.uprobes.delayedCounters.isEmpty)
    }
  }

  @Test("only a private writable mapping of the file holds counters")
  func mappings() throws {
    for bits in 0..<8 {
      var mapping = TestKernel.counters
      mapping.isWritable = bits & 1 == 0
      mapping.isShared = bits & 2 != 0
      if bits & 4 != 0 { mapping.inode = 8 }
      var kernel = Self.kernel(mapsCounters: false)
      kernel.uprobes.mapped(mapping, in: 0)
      _ = try kernel.register(counter: Self.offset)
      #expect(counted(kernel) == (bits == 0 ? 1 : 0))
      #expect(kernel.uprobes.delayedCounters.isEmpty == (bits == 0))
      var later = Self.kernel(mapsCounters: false)
      _ = try later.register(counter: Self.offset)
      later.uprobes.mapped(mapping, in: 0)
      #expect(counted(later) == (bits == 0 ? 1 : 0))
    }
  }

  @Test("the counter is taken back when the breakpoint cannot be written")
  func takenBack() throws {
    var kernel = Self.kernel()
    kernel.uprobes.allocationsLeft = 1
    #expect(throws: UprobeRefusal.outOfMemory) { try kernel.register(counter: Self.offset) }
    #expect(counted(kernel) == 0)
    #expect(kernel.contents(0x110) == .original)
    // One for the probe, one to remember the counter, none for the page.
    var delayed = Self.kernel(mapsCounters: false)
    delayed.uprobes.allocationsLeft = 2
    #expect(throws: UprobeRefusal.outOfMemory) { try delayed.register(counter: Self.offset) }
    #expect(delayed.uprobes.delayedCounters.isEmpty)
    delayed.uprobes.allocationsLeft = 1
    delayed.uprobes.runDeferredWork()
    #expect(throws: UprobeRefusal.outOfMemory) { try delayed.register(counter: Self.offset) }
  }

  @Test("the highest count wraps unnoticed, and is stuck then")
  func wraps() throws {
    var kernel = Self.kernel()
    kernel.uprobes.spaces[0].counters[Self.address] = .max
    let registration = try kernel.register(counter: Self.offset)
    #expect(counted(kernel) == .min)
    #expect(throws: UprobeRefusal.negativeReferenceCounter) {
      try kernel.register(at: 0x100, counter: Self.offset)
    }
    kernel.uprobes.unregister(registration)
    #expect(counted(kernel) == .min)
  }

  @Test("a counter moves with its mapping and goes with it")
  func moved() throws {
    var kernel = Self.kernel()
    _ = try kernel.register(counter: Self.offset)
    kernel.uprobes.moved(mappingAt: TestKernel.data, to: 0x80_0000, in: 0)
    #expect(kernel.uprobes.spaces[0].counters == [0x80_0800: 1])
    kernel.uprobes.unmapped(from: 0x80_0000, to: 0x80_1000, in: 0)
    #expect(kernel.uprobes.spaces[0].counters.isEmpty)
  }
}

import ProbeEvents
import Testing

@testable import KernelModel

@Suite("Registration")
struct RegisterTests {
  @Test("the arguments are checked in the kernel's order, each with its number")
  func order() {
    var kernel = TestKernel(.e8, .aarch64, mapsFile: false)
    kernel.uprobes.files.append(ProbedFile(inode: 8, sizeBytes: 0x10, reader: .none))
    let nobody = Consumer(hasHandler: false, hasReturnHandler: false)
    // Everything is wrong at first, then one thing after the other is put right.
    let steps: [(Consumer, UInt64, UInt64, UInt64, UprobeRefusal, Int32)] = [
      (nobody, 8, 0x1003, 1, .noHandler, 22),
      (TestKernel.entry, 8, 0x1003, 1, .unreadableFile, 5),
      (TestKernel.entry, 99, 0x1003, 1, .unreadableFile, 5),
      (TestKernel.entry, 7, 0x1003, 1, .offsetPastEnd, 22),
      (TestKernel.entry, 7, 0x103, 1, .misalignedOffset, 22),
      (TestKernel.returning, 7, 0x104, 1, .misalignedReferenceCounter, 22),
    ]
    for (consumer, inode, offset, counter, refusal, errno) in steps {
      #expect(throws: refusal) {
        try kernel.uprobes.register(
          consumer, inode: inode, offset: offset, referenceCounterOffset: counter)
      }
      #expect(refusal.errno == errno)
      #expect(kernel.uprobes.probes.isEmpty)
    }
  }

  @Test("either handler will do, and shared memory can be read as well")
  func accepted() throws {
    for consumer in [TestKernel.entry, TestKernel.returning, TestKernel.both] {
      var kernel = TestKernel(mapsFile: false)
      kernel.uprobes.files[0].reader = .sharedMemory
      #expect(try kernel.register(consumer).consumer == 1)
    }
  }

  @Test("before alignment was checked, odd offsets and counters passed")
  func withoutAlignment() throws {
    var rules = UprobeRules(epoch: .e8, architecture: .aarch64)
    rules.registrationChecks = .referenceCounters
    var kernel = TestKernel(rules, mapsFile: false)
    let registration = try kernel.register(at: 0x103, counter: 1)
    #expect(kernel.uprobes.probes[0].referenceCounterOffset == 1)
    kernel.uprobes.unregister(registration)
  }

  @Test("before 4.20 a reference counter is neither kept nor compared")
  func withoutCounters() throws {
    var kernel = TestKernel(.e2, mapsFile: false)
    _ = try kernel.register(counter: 0x800)
    _ = try kernel.register(counter: 0x900)
    #expect(kernel.uprobes.probes.count == 1)
    #expect(kernel.uprobes.probes[0].referenceCounterOffset == 0)
  }

  @Test("the end of the file passes the check, and fails when the instruction is read")
  func endOfFile() throws {
    var kernel = TestKernel(mapsFile: false)
    #expect(throws: UprobeRefusal.offsetPastEnd) { try kernel.register(at: 0x1001) }
    _ = try kernel.register(at: 0x1000)
    // A mapping may be longer than the file.
    var mapped = TestKernel()
    mapped.uprobes.spaces[0].mappings[0].end += 0x1000
    #expect(throws: UprobeRefusal.nothingToCopy) { try mapped.register(at: 0x1000) }
    #expect(UprobeRefusal.nothingToCopy.errno == 5)
  }

  @Test(
    "another reference counter is refused, the same joins the probe",
    arguments: Epoch.allCases.filter { $0 >= .e3 })
  func conflictingCounter(epoch: Epoch) throws {
    var kernel = TestKernel(epoch, mapsFile: false)
    let first = try kernel.register(counter: 0x800)
    let references = kernel.references(first)
    #expect(throws: UprobeRefusal.conflictingReferenceCounter) {
      try kernel.register(counter: 0x802)
    }
    #expect(throws: UprobeRefusal.conflictingReferenceCounter) { try kernel.register() }
    #expect(kernel.uprobes.warnings == Array(repeating: .conflictingReferenceCounter, count: 2))
    #expect(kernel.references(first) == references)
    #expect(try kernel.register(counter: 0x800).probe == first.probe)
  }

  @Test("a probe is identified by file and offset, and shared by its consumers, newest first")
  func sharing() throws {
    var kernel = TestKernel(mapsFile: false)
    kernel.uprobes.files.append(ProbedFile(inode: 8, sizeBytes: 0x1000))
    let first = try kernel.register(at: 0x100)
    let second = try kernel.register(at: 0x100)
    let other = try kernel.register(at: 0x110)
    let elsewhere = try kernel.uprobes.register(TestKernel.entry, inode: 8, offset: 0x100)
    #expect(first.probe == second.probe)
    #expect(Set([first.probe, other.probe, elsewhere.probe]).count == 3)
    #expect(kernel.uprobes.probes[0].consumers.map(\.identity) == [2, 1])
  }

  @Test("out of memory", arguments: Epoch.allCases)
  func outOfMemory(epoch: Epoch) throws {
    var kernel = TestKernel(epoch)
    for allocations in 0..<2 {
      kernel.uprobes.allocationsLeft = allocations
      // First the probe, then the page for the breakpoint.
      #expect(throws: UprobeRefusal.outOfMemory) { try kernel.register() }
      #expect(UprobeRefusal.outOfMemory.errno == 12)
      kernel.uprobes.allocationsLeft = nil
      kernel.uprobes.runDeferredWork()
      #expect(kernel.uprobes.probes.isEmpty)
      #expect(!kernel.uprobes.spaces[0].hasUprobes)
    }
    // Joining a probe allocates one for nothing.
    _ = try kernel.register()
    kernel.uprobes.allocationsLeft = 0
    #expect(throws: UprobeRefusal.outOfMemory) { try kernel.register() }
  }

  @Test(
    "an instruction that cannot be probed refuses the registration, once it is mapped",
    arguments: [
      (UInt64(0x150), UprobeRefusal.breakpointInFile, Int32(524)),
      (0x160, .unsupportedInstruction, 524), (0x170, .undecodable, 8), (0x180, .undecodable, 8),
    ])
  func refusedInstruction(offset: UInt64, refusal: UprobeRefusal, errno: Int32) throws {
    var kernel = TestKernel()
    #expect(throws: refusal) { try kernel.register(at: offset) }
    #expect(refusal.errno == errno)
    kernel.uprobes.runDeferredWork()
    #expect(kernel.uprobes.probes.isEmpty)
    var unmapped = TestKernel(mapsFile: false)
    let registration = try unmapped.register(at: offset)
    unmapped.map(0)
    #expect(unmapped.contents(offset) == .original)
    #expect(!unmapped.uprobes.spaces[0].hasUprobes)
    unmapped.uprobes.unregister(registration)
  }

  @Test("on arm64 a breakpoint in the file, an exception and a 32-bit process are refused")
  func refusedOnARM64() throws {
    var kernel = TestKernel(.e8, .aarch64)
    #expect(throws: UprobeRefusal.breakpointInFile) { try kernel.register(at: 0x150) }
    #expect(throws: UprobeRefusal.rejectedInstruction) { try kernel.register(at: 0x160) }
    #expect(UprobeRefusal.rejectedInstruction.errno == 22)
    kernel.uprobes.spaces[0].isCompat = true
    #expect(throws: UprobeRefusal.compatTask(errno: 95)) { try kernel.register() }
    #expect(UprobeRefusal.compatTask(errno: 95).errno == 95)
  }

  @Test("every refusal has the kernel's number")
  func numbers() {
    let expected: [UprobeRefusal: Int32] = [
      .noSuchConsumer: 2, .notMovable: 1, .memoryGone: 14, .zeroPage: 22, .dyingProbe: 22,
      .negativeReferenceCounter: 22, .misalignedInstruction: 22, .conflictingReferenceCounter: 22,
      .compatTask(errno: 524): 524,
    ]
    for (refusal, errno) in expected { #expect(refusal.errno == errno) }
  }
}

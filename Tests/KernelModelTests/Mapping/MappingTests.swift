import ProbeEvents
import Testing

@testable import KernelModel

@Suite("Breakpoints in mappings")
struct MappingTests {
  @Test("which mappings get breakpoints, in all combinations of their flags")
  func validity() {
    for bits in 0..<64 {
      let has = (0..<6).map { bits >> $0 & 1 == 1 }
      let mapping = Mapping(
        start: 0, end: 0x1000, inode: has[0] ? 7 : nil, isWritable: has[1], mayExecute: has[2],
        isShared: has[3], mayShare: has[4], isHuge: has[5])
      let isRemovable = has[0] && has[2] && !has[4] && !has[5]
      #expect(mapping.isValid(registering: false) == isRemovable)
      #expect(mapping.isValid(registering: true) == (isRemovable && !has[1]))
    }
  }

  @Test("an offset is where its mapping says, and nowhere else")
  func addresses() {
    let mapping = Mapping(start: 0x5000, end: 0x6000, inode: 7, fileOffset: 0x2000)
    #expect(mapping.address(of: 0x2000) == 0x5000)
    #expect(mapping.address(of: 0x2fff) == 0x5fff)
    #expect(mapping.address(of: 0x1fff) == nil)
    #expect(mapping.address(of: 0x3000) == nil)
    #expect(mapping.offset(of: 0x5010) == 0x2010)
    #expect(mapping.contains(0x5000) && mapping.contains(0x5fff))
    #expect(!mapping.contains(0x4fff) && !mapping.contains(0x6000))
    let inverted = Mapping(start: 0x6000, end: 0x5000, inode: 7)
    #expect(inverted.address(of: 0) == nil)
  }

  @Test("registration places breakpoints in the processes the new consumer wants")
  func register() throws {
    var kernel = TestKernel()
    let second = kernel.addProcess()
    var picky = TestKernel.entry
    picky.filter = .spaces([second])
    let first = try kernel.register(picky)
    #expect(kernel.contents(0x110) == .original)
    #expect(!kernel.uprobes.spaces[0].hasUprobes)
    #expect(kernel.contents(0x110, space: second) == .breakpoint)
    #expect(kernel.uprobes.spaces[second].hasUprobes)
    // Only the new one is asked.
    var other = TestKernel.entry
    other.filter = .spaces([])
    _ = try kernel.register(other)
    #expect(kernel.contents(0x110) == .original)
    kernel.uprobes.unregister(first)
    #expect(kernel.contents(0x110, space: second) == .original)
  }

  @Test("removal leaves the breakpoints that another consumer wants")
  func unregister() throws {
    var kernel = TestKernel()
    let second = kernel.addProcess()
    var picky = TestKernel.entry
    picky.filter = .spaces([second])
    _ = try kernel.register(picky)
    let general = try kernel.register()
    #expect(kernel.contents(0x110) == .breakpoint)
    kernel.uprobes.unregister(general)
    #expect(kernel.contents(0x110) == .original)
    #expect(kernel.contents(0x110, space: second) == .breakpoint)
    #expect(kernel.uprobes.spaces[0].recalculates)
    #expect(!kernel.uprobes.spaces[second].recalculates)
  }

  @Test("a process without the flag is not searched for breakpoints")
  func withoutFlag() throws {
    var kernel = TestKernel()
    let registration = try kernel.register()
    kernel.uprobes.spaces[0].hasUprobes = false
    kernel.uprobes.unregister(registration)
    #expect(kernel.contents(0x110) == .breakpoint)
  }

  @Test("the first breakpoint that cannot be placed takes the others back")
  func partialFailure() throws {
    var kernel = TestKernel()
    let second = kernel.addProcess()
    let third = kernel.addProcess()
    kernel.uprobes.spaces[second].sites[TestKernel.base + 0x110] = .unreadable
    #expect(throws: UprobeRefusal.memoryGone) { try kernel.register() }
    #expect(kernel.contents(0x110) == .original)
    #expect(kernel.contents(0x110, space: third) == .original)
    #expect(kernel.uprobes.spaces.map(\.hasUprobes) == [true, false, false])
    #expect(!kernel.uprobes.spaces[third].recalculates)
  }

  @Test("a shared page of zeroes and a page that cannot be had refuse the breakpoint")
  func pages() throws {
    for (contents, refusal) in [
      (SiteContents.zeroPage, UprobeRefusal.zeroPage), (.unreadable, .memoryGone),
    ] {
      var kernel = TestKernel()
      kernel.uprobes.spaces[0].sites[TestKernel.base + 0x110] = contents
      #expect(throws: refusal) { try kernel.register() }
      #expect(!kernel.uprobes.spaces[0].hasUprobes)
      #expect(kernel.contents(0x110) == contents)
    }
  }

  @Test("the flag of a process that had other probes survives a failure")
  func flagSurvives() throws {
    var kernel = TestKernel()
    _ = try kernel.register(at: 0x100)
    kernel.uprobes.spaces[0].sites[TestKernel.base + 0x110] = .zeroPage
    #expect(throws: UprobeRefusal.zeroPage) { try kernel.register() }
    #expect(kernel.uprobes.spaces[0].hasUprobes)
  }

  @Test("a breakpoint that is there already counts as placed, and is removed with the probe")
  func debuggersBreakpoint() throws {
    var kernel = TestKernel()
    kernel.uprobes.spaces[0].sites[TestKernel.base + 0x110] = .breakpoint
    kernel.uprobes.allocationsLeft = 1
    let registration = try kernel.register()
    #expect(kernel.uprobes.spaces[0].hasUprobes)
    kernel.uprobes.allocationsLeft = nil
    kernel.uprobes.unregister(registration)
    #expect(kernel.contents(0x110) == .original)
  }

  @Test("what somebody else has written over a breakpoint is left alone")
  func overwritten() throws {
    var kernel = TestKernel()
    let registration = try kernel.register()
    kernel.uprobes.spaces[0].sites[TestKernel.base + 0x110] = .zeroPage
    kernel.uprobes.unregister(registration)
    #expect(kernel.contents(0x110) == .zeroPage)
    #expect(kernel.uprobes.warnings.isEmpty)
  }

  @Test("the instruction is analysed once, with the first mapping")
  func analysedOnce() throws {
    var kernel = TestKernel(mapsFile: false)
    _ = try kernel.register()
    #expect(!kernel.uprobes.probes[0].hasCopiedInstruction)
    kernel.map(0)
    #expect(kernel.uprobes.probes[0].hasCopiedInstruction)
    kernel.uprobes.files[0].instructions[0x110] = .undecodable
    let second = kernel.addProcess()
    #expect(kernel.contents(0x110, space: second) == .breakpoint)
  }

  @Test("a mapping brings the breakpoints that some consumer wants there, unless the task dies")
  func mapped() throws {
    var kernel = TestKernel(mapsFile: false)
    var picky = TestKernel.entry
    picky.filter = .spaces([0])
    _ = try kernel.register(picky)
    _ = try kernel.register(at: 0x120)
    _ = try kernel.register(at: 0x150)
    kernel.map(0)
    #expect(kernel.contents(0x110) == .breakpoint)
    #expect(kernel.contents(0x120) == .breakpoint)
    #expect(kernel.contents(0x150) == .original)
    let second = kernel.addProcess()
    #expect(kernel.contents(0x110, space: second) == .original)
    #expect(kernel.contents(0x120, space: second) == .breakpoint)
    let dying = kernel.uprobes.add(AddressSpace())
    kernel.uprobes.mapped(TestKernel.text, in: dying, isDying: true)
    #expect(kernel.contents(0x120, space: dying) == .original)
    #expect(!kernel.uprobes.spaces[dying].hasUprobes)
  }

  @Test("registering passes writable mappings by, unregistering does not")
  func writable() throws {
    var kernel = TestKernel()
    kernel.uprobes.spaces[0].mappings[0].isWritable = true
    _ = try kernel.register(at: 0x100)
    #expect(kernel.contents(0x100) == .original && !kernel.uprobes.spaces[0].hasUprobes)
    kernel.uprobes.spaces[0].mappings[0].isWritable = false
    let registration = try kernel.register()
    kernel.uprobes.spaces[0].mappings[0].isWritable = true
    kernel.uprobes.unregister(registration)
    #expect(kernel.contents(0x110) == .original)
  }

  @Test("unmapping a probe in a mapping that became writable asks for recalculation as well")
  func unmappedWritable() throws {
    var kernel = TestKernel()
    _ = try kernel.register()
    kernel.uprobes.spaces[0].mappings[0].isWritable = true
    kernel.uprobes.unmapped(from: TestKernel.base, to: TestKernel.base + 0x1000, in: 0)
    #expect(kernel.uprobes.spaces[0].recalculates)
  }

  @Test("a mapping without bytes is none, and unmapping nothing changes nothing")
  func nothing() throws {
    var kernel = TestKernel()
    let base = TestKernel.base
    kernel.uprobes.mapped(Mapping(start: 0x1000, end: 0x1000, inode: 7), in: 0)
    kernel.uprobes.unmapped(from: base + 0x800, to: base + 0x800, in: 0)
    #expect(kernel.uprobes.spaces[0].mappings == [TestKernel.text])
  }

  @Test("a process that ends has no memory any more")
  func ended() throws {
    var kernel = TestKernel()
    _ = try kernel.register()
    _ = kernel.hit(0x110)
    #expect(kernel.uprobes.spaces[0].xolArea != nil)
    kernel.uprobes.ended(0)
    let space = kernel.uprobes.spaces[0]
    #expect(space.xolArea == nil && space.mappings.isEmpty && space.sites.isEmpty)
  }

  @Test("a mapping of another part or another file, or a writable one, brings none")
  func otherMappings() throws {
    var kernel = TestKernel(mapsFile: false)
    _ = try kernel.register()
    var other = TestKernel.text
    other.inode = 8
    var later = TestKernel.text
    later.fileOffset = 0x1000
    var writable = TestKernel.text
    writable.isWritable = true
    for mapping in [other, later, writable] {
      let space = kernel.uprobes.add(AddressSpace())
      kernel.uprobes.mapped(mapping, in: space)
      #expect(!kernel.uprobes.spaces[space].hasUprobes)
    }
  }

  @Test("placing a breakpoint says that there is nothing to recalculate")
  func recalculation() throws {
    var kernel = TestKernel()
    let first = try kernel.register(at: 0x100)
    kernel.uprobes.unregister(first)
    #expect(kernel.uprobes.spaces[0].recalculates)
    _ = try kernel.register()
    #expect(!kernel.uprobes.spaces[0].recalculates)
  }
}

import ProbeEvents
import Testing

@testable import KernelModel

/// What becomes of breakpoints when memory is unmapped, moved, copied, replaced and given up.
extension MappingTests {
  @Test("unmapping a probe asks for recalculation, unmapping anything else does not")
  func unmapped() throws {
    var kernel = TestKernel()
    _ = try kernel.register()
    let base = TestKernel.base
    kernel.uprobes.unmapped(from: base, to: base + 0x110, in: 0)
    #expect(!kernel.uprobes.spaces[0].recalculates)
    kernel.uprobes.unmapped(from: base + 0x111, to: base + 0x200, in: 0)
    #expect(!kernel.uprobes.spaces[0].recalculates)
    #expect(kernel.contents(0x110) == .breakpoint)
    kernel.uprobes.unmapped(from: base + 0x110, to: base + 0x111, in: 0)
    #expect(kernel.uprobes.spaces[0].recalculates)
    #expect(kernel.contents(0x110) == .original)
    #expect(kernel.uprobes.spaces[0].mappings.map(\.fileOffset) == [0x200])
    #expect(kernel.uprobes.spaces[0].mappings.map(\.start) == [base + 0x200])
  }

  @Test("a hit that finds nothing takes the flag back if no mapping has a probe")
  func flagTakenBack() throws {
    var kernel = TestKernel()
    let first = try kernel.register()
    let second = try kernel.register(at: 0x100)
    kernel.uprobes.unregister(first)
    kernel.uprobes.runDeferredWork()
    #expect(kernel.hit(0x110) == .hit(.restartsWithoutProbe))
    #expect(kernel.uprobes.spaces[0].hasUprobes && !kernel.uprobes.spaces[0].recalculates)
    kernel.uprobes.unregister(second)
    kernel.uprobes.runDeferredWork()
    #expect(kernel.hit(0x110) == .hit(.restartsWithoutProbe))
    #expect(!kernel.uprobes.spaces[0].hasUprobes)
    #expect(kernel.hit(0x110) == .notNotified)
  }

  @Test("a mapping moves next to where it was, on either side, and over what is there")
  func movedBeside() throws {
    let (base, size) = (TestKernel.base, UInt64(0x1000))
    for target in [base + size, base - size] {
      var kernel = TestKernel()
      _ = try kernel.register()
      var other = TestKernel.text
      (other.start, other.end, other.inode) = (target, target + size, 8)
      kernel.uprobes.mapped(other, in: 0)
      kernel.uprobes.moved(mappingAt: base, to: target, in: 0)
      var moved = TestKernel.text
      (moved.start, moved.end) = (target, target + size)
      #expect(kernel.uprobes.spaces[0].mappings == [moved])
      #expect(kernel.uprobes.spaces[0].contents(at: target + 0x110) == .breakpoint)
    }
  }

  @Test("a mapping without bytes does not move")
  func movedNothing() {
    var kernel = TestKernel(mapsFile: false)
    let empty = Mapping(start: 0x1000, end: 0x1000, inode: 7)
    kernel.uprobes.spaces[0].mappings = [empty]
    kernel.uprobes.moved(mappingAt: 0x1000, to: 0x9000, in: 0)
    #expect(kernel.uprobes.spaces[0].mappings == [empty])
  }

  @Test("breakpoints move with their mapping")
  func moved() throws {
    var kernel = TestKernel()
    _ = try kernel.register()
    kernel.uprobes.moved(mappingAt: TestKernel.base, to: 0x50_0000, in: 0)
    #expect(kernel.uprobes.spaces[0].contents(at: 0x50_0110) == .breakpoint)
    #expect(kernel.contents(0x110) == .original)
    #expect(kernel.uprobes.spaces[0].mappings.map(\.start) == [0x50_0000])
    #expect(kernel.uprobes.spaces[0].recalculates)
    #expect(kernel.trap(at: 0x50_0110) == .hit(.stepping))
  }

  @Test("the XOL page could be moved until 6.12")
  func movedXOLPage() {
    for epoch in Epoch.allCases {
      let kernel = TestKernel(epoch)
      if epoch < .e6 {
        #expect(throws: Never.self) { try kernel.uprobes.checkXOLPageMove() }
      } else {
        #expect(throws: UprobeRefusal.notMovable) { try kernel.uprobes.checkXOLPageMove() }
      }
    }
  }

  @Test("a child has its parent's breakpoints, wanted or not, and no XOL page")
  func duplicated() throws {
    var kernel = TestKernel()
    var picky = TestKernel.entry
    picky.filter = .spaces([0])
    let registration = try kernel.register(picky)
    _ = kernel.hit(0x110)
    _ = kernel.endStep()
    let duplicated = kernel.uprobes.duplicated(0)
    let child = try #require(duplicated)
    #expect(kernel.contents(0x110, space: child) == .breakpoint)
    #expect(kernel.uprobes.spaces[child].hasUprobes && kernel.uprobes.spaces[child].recalculates)
    #expect(kernel.uprobes.spaces[child].xolArea == nil)
    #expect(kernel.uprobes.spaces[0].xolArea != nil)
    // All that are registered ask for removal, so it leaves the child.
    kernel.task = ProbedTask(space: child)
    _ = kernel.hit(0x110, HandlerCall(.remove))
    #expect(kernel.contents(0x110, space: child) == .original)
    #expect(kernel.contents(0x110) == .breakpoint)
    kernel.uprobes.unregister(registration)
  }

  @Test("a child of a process without probes has no flag")
  func duplicatedWithout() {
    var kernel = TestKernel()
    #expect(kernel.uprobes.duplicated(0) == 1)
    #expect(!kernel.uprobes.spaces[1].hasUprobes && !kernel.uprobes.spaces[1].recalculates)
    #expect(kernel.uprobes.duplicated(9) == nil)
  }

  @Test("a new program starts without breakpoints and flags; an ended one is left alone")
  func replacedAndEnded() throws {
    var kernel = TestKernel()
    let registration = try kernel.register()
    kernel.uprobes.replaced(0, by: AddressSpace())
    #expect(!kernel.uprobes.spaces[0].hasUprobes && kernel.uprobes.spaces[0].sites.isEmpty)
    kernel.map(0)
    #expect(kernel.contents(0x110) == .breakpoint)
    let ended = kernel.addProcess()
    kernel.uprobes.ended(ended)
    #expect(kernel.uprobes.spaces[ended].isDying)
    #expect(kernel.uprobes.duplicated(ended) == nil)
    kernel.uprobes.unregister(registration)
    #expect(kernel.contents(0x110) == .original)
  }
}

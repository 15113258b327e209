import ProbeEvents
import Testing

@testable import KernelModel

@Suite("Lifetime of probes")
struct LifetimeTests {
  static let old = Epoch.allCases.filter { $0 < .e5 }
  static let new = Epoch.allCases.filter { $0 >= .e5 }

  @Test("until 6.11 the table holds one reference, whoever is registered", arguments: old)
  func creationReference(epoch: Epoch) throws {
    var kernel = TestKernel(epoch)
    let first = try kernel.register()
    #expect(kernel.references(first) == 1)
    let second = try kernel.register()
    #expect(kernel.references(first) == 1)
    kernel.uprobes.unregister(first)
    #expect(kernel.references(second) == 1)
    kernel.uprobes.unregister(second)
    #expect(kernel.uprobes.probes.isEmpty)
  }

  @Test(
    "since 6.12 each registration holds one, and the last leaves the rest to later", arguments: new)
  func registrationReference(epoch: Epoch) throws {
    var kernel = TestKernel(epoch)
    let first = try kernel.register()
    let second = try kernel.register()
    #expect(kernel.references(first) == 2)
    kernel.uprobes.unregister(first)
    #expect(kernel.references(second) == 1)
    kernel.uprobes.unregister(second)
    #expect(kernel.references(second) == 0)
    #expect(kernel.uprobes.probes[0].isActive)
    kernel.uprobes.runDeferredWork()
    #expect(kernel.uprobes.probes.isEmpty)
  }

  @Test("a registration that lost the race with removal begins anew", arguments: old)
  func race(epoch: Epoch) throws {
    var kernel = TestKernel(epoch)
    let first = try kernel.register()
    let pending = try kernel.uprobes.beginRegistration(
      TestKernel.entry, inode: TestKernel.inode, offset: 0x110)
    #expect(pending.probe == first.probe)
    #expect(kernel.references(first) == 2)
    kernel.uprobes.unregister(first)
    #expect(kernel.references(first) == 1)
    #expect(kernel.uprobes.probes[0].isActive == false)
    #expect(try kernel.uprobes.finishRegistration(pending) == nil)
    #expect(kernel.uprobes.probes.isEmpty)
    let again = try kernel.register()
    #expect(again.probe != first.probe)
    #expect(kernel.contents(0x110) == .breakpoint)
  }

  @Test("since 6.12 the pending registration keeps the probe", arguments: new)
  func noRace(epoch: Epoch) throws {
    var kernel = TestKernel(epoch)
    let first = try kernel.register()
    let pending = try kernel.uprobes.beginRegistration(
      TestKernel.entry, inode: TestKernel.inode, offset: 0x110)
    kernel.uprobes.unregister(first)
    #expect(kernel.contents(0x110) == .original)
    kernel.uprobes.runDeferredWork()
    let second = try kernel.uprobes.finishRegistration(pending)
    #expect(second?.probe == first.probe)
    #expect(kernel.contents(0x110) == .breakpoint)
    #expect(kernel.references(first) == 1)
  }

  @Test("a probe about to go makes room for another at the same place", arguments: new)
  func dyingProbe(epoch: Epoch) throws {
    var kernel = TestKernel(epoch)
    let first = try kernel.register()
    kernel.uprobes.unregister(first)
    let second = try kernel.register()
    #expect(second.probe != first.probe)
    #expect(kernel.uprobes.probes.map(\.isActive) == [false, true])
    kernel.uprobes.runDeferredWork()
    #expect(kernel.uprobes.probes.map(\.identity) == [second.probe])
    #expect(kernel.hit(0x110) == .hit(.stepping))
  }

  @Test(
    "a hit in the middle of a step keeps its probe until the step ends", arguments: Epoch.allCases)
  func hitInFlight(epoch: Epoch) throws {
    var kernel = TestKernel(epoch)
    let registration = try kernel.register()
    _ = kernel.hit(0x110)
    #expect(kernel.references(registration) == 2)
    kernel.uprobes.unregister(registration)
    kernel.uprobes.runDeferredWork()
    #expect(kernel.references(registration) == 1)
    #expect(kernel.endStep() == .step(.done))
    #expect(kernel.next == TestKernel.base + 0x112)
    kernel.uprobes.runDeferredWork()
    #expect(kernel.uprobes.probes.isEmpty)
  }

  @Test("a pending return keeps the probe by reference until 6.12", arguments: Epoch.allCases)
  func pendingReturn(epoch: Epoch) throws {
    var kernel = TestKernel(epoch)
    let registration = try kernel.register(TestKernel.both)
    _ = kernel.hit(0x110)
    _ = kernel.endStep()
    #expect(kernel.references(registration) == (epoch < .e6 ? 2 : 1))
    #expect(
      kernel.returns()
        == .hit(
          .trampoline(
            .returned(to: TestKernel.caller),
            handlers: [ReturnHandlerCall(consumer: 1, cookie: epoch < .e6 ? nil : 0)])))
    #expect(kernel.references(registration) == 1)
  }

  @Test("a consumer has no number before it is registered, and the first has one")
  func numbers() throws {
    var kernel = TestKernel()
    #expect(TestKernel.entry.identity == 0)
    #expect(try kernel.register().consumer == 1)
  }

  @Test("registering takes memory twice: for the probe and for the page with the breakpoint")
  func memory() throws {
    var kernel = TestKernel()
    kernel.uprobes.allocationsLeft = 2
    _ = try kernel.register()
    #expect(kernel.uprobes.allocationsLeft == 0)
  }

  @Test("a breakpoint of one byte can be at any offset")
  func oddOffset() throws {
    var kernel = TestKernel(.e8, mapsFile: false)
    #expect(throws: Never.self) { try kernel.register(at: 0x111) }
  }

  @Test("whoever is not registered cannot be unregistered", arguments: Epoch.allCases)
  func unknown(epoch: Epoch) throws {
    var kernel = TestKernel(epoch)
    let registration = try kernel.register()
    let other = try kernel.register()
    kernel.uprobes.unregister(registration)
    kernel.uprobes.unregister(registration)
    #expect(kernel.uprobes.warnings == [.unknownConsumer])
    #expect(kernel.references(other) == 1)
    kernel.uprobes.unregister(other)
    kernel.uprobes.runDeferredWork()
    kernel.uprobes.unregister(other)
    #expect(kernel.uprobes.warnings == [.unknownConsumer, .unknownConsumer])
  }

  @Test("a breakpoint that cannot be removed keeps the probe for good", arguments: Epoch.allCases)
  func leak(epoch: Epoch) throws {
    var kernel = TestKernel(epoch)
    let registration = try kernel.register()
    kernel.uprobes.allocationsLeft = 0
    kernel.uprobes.unregister(registration)
    #expect(kernel.uprobes.warnings == [.leakedProbe])
    #expect(kernel.contents(0x110) == .breakpoint)
    kernel.uprobes.allocationsLeft = nil
    kernel.uprobes.runDeferredWork()
    #expect(kernel.references(registration) == 1)
    // It is hit, nobody is told, and the instruction is executed.
    #expect(kernel.hit(0x110) == .hit(.stepping))
    #expect(kernel.entered.isEmpty)
  }

  @Test("a consumer whose filter changes its mind has breakpoints placed or removed")
  func apply() throws {
    var kernel = TestKernel()
    let second = kernel.addProcess()
    var picky = TestKernel.entry
    picky.filter = .spaces([])
    let registration = try kernel.register(picky)
    #expect(kernel.contents(0x110) == .original)
    try kernel.uprobes.apply(registration, filter: .spaces([second]), adding: true)
    #expect(kernel.contents(0x110) == .original)
    #expect(kernel.contents(0x110, space: second) == .breakpoint)
    try kernel.uprobes.apply(registration, filter: .spaces([0]), adding: false)
    #expect(kernel.contents(0x110, space: second) == .original)
    #expect(kernel.contents(0x110) == .original)
    kernel.uprobes.unregister(registration)
    #expect(throws: UprobeRefusal.noSuchConsumer) {
      try kernel.uprobes.apply(registration, filter: .none, adding: true)
    }
  }
}

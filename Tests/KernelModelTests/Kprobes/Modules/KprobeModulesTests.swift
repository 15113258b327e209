import KernelModel
import ProbeEvents
import Testing

@Suite("Probes in modules")
struct KprobeModulesTests {
  let core = KprobeFixture.moduleCore.lowerBound
  let setup = KprobeFixture.moduleInit.lowerBound
  let fork = KprobeFixture.fork

  @Test(
    "which probes are killed", arguments: KernelModule.State.allCases, Architecture.allCases)
  func killed(state: KernelModule.State, architecture: Architecture) throws {
    var fixture = KprobeFixture(.k10, architecture)
    let inCore = try fixture.probe(core)
    let inSetup = try fixture.probe(setup)
    let elsewhere = try fixture.probe(fork)
    let isKnown = fixture.kernel.moduleChanged("work", to: state)
    #expect(isKnown)
    let gone = [inCore, inSetup, elsewhere].map {
      fixture.kernel.table[$0]?.flags.contains(.gone) ?? false
    }
    switch state {
    case .coming: #expect(gone == [false, false, false])
    case .live: #expect(gone == [false, true, false])
    case .going: #expect(gone == [true, true, false])
    }
  }

  @Test("a killed probe stays in the table without its copy, is not armed, cannot be enabled")
  func goneProbe() throws {
    var fixture = KprobeFixture(.k10)
    let id = try fixture.probe(core)
    fixture.kernel.moduleChanged("work", to: .going)
    let entry = try #require(fixture.entry(core))
    #expect(entry.members == [id])
    #expect(!entry.isArmed)
    #expect(entry.instruction.slot == nil)
    #expect(fixture.kernel.table[id]?.instruction?.slot == nil)
    #expect(refusal { () throws(KprobeError) in try fixture.kernel.enable(id) } == .gone)
    fixture.kernel.unregister(id)
    #expect(fixture.entry(core) == nil)
    // Its memory was given back once.
    #expect(try fixture.probe(fork) != id)
    #expect(fixture.entry(fork)?.instruction.slot == KprobeFixture.slots)
  }

  @Test("switching all probes off and on arms gone ones as well: nothing looks at the mark")
  func armAllArmsGone() throws {
    var fixture = KprobeFixture()
    _ = try fixture.probe(core)
    fixture.kernel.moduleChanged("work", to: .going)
    #expect(fixture.entry(core)?.isArmed == false)
    fixture.kernel.disarmAll()
    fixture.kernel.armAll()
    #expect(fixture.entry(core)?.isArmed == true)
  }

  @Test("all members of an aggregate are gone, and the manager has no post-handler any more")
  func goneAggregate() throws {
    var fixture = KprobeFixture(.k10)
    let ids = [try fixture.probe(core, [.pre, .post]), try fixture.probe(core, [.pre, .post])]
    fixture.kernel.moduleChanged("work", to: .going)
    for id in ids { #expect(fixture.kernel.table[id]?.flags.contains(.gone) == true) }
    #expect(fixture.entry(core)?.hasPostHandler == false)
  }

  @Test("a breakpoint met on the way out runs no post-handlers of a gone aggregate")
  func goneAggregateHit() throws {
    var fixture = KprobeFixture(.k10, .aarch64)
    for _ in 0..<2 { _ = try fixture.probe(core, [.pre, .post]) }
    fixture.kernel.moduleChanged("work", to: .going)
    #expect(fixture.answer(fixture.hit(core)).resumed?.instructionPointer == core + 4)
    #expect(fixture.log == ["pre 1", "pre 0"])
  }

  @Test("a module that comes back is probed anew under the old entry, with a new copy")
  func comesBack() throws {
    var fixture = KprobeFixture(.k10)
    let old = try fixture.probe(core)
    fixture.kernel.moduleChanged("work", to: .going)
    fixture.kernel.text.modules = [
      KernelModule("work", core: KprobeFixture.moduleCore, initText: KprobeFixture.moduleInit)
    ]
    let new = try fixture.probe(core)
    let entry = try #require(fixture.entry(core))
    #expect(entry.members == [new, old])
    #expect(entry.isArmed)
    #expect(entry.instruction.slot != nil)
    #expect(fixture.kernel.table[old]?.flags.contains(.gone) == true)
    #expect(fixture.kernel.table[new]?.flags.contains(.gone) == false)
    // The kernel does not look at the mark when it calls handlers.
    #expect(fixture.run(core) != nil)
    #expect(fixture.log == ["pre \(new.rawValue)", "pre \(old.rawValue)"])
  }

  @Test("text that is on its way out, or gone, cannot be probed")
  func refusals() throws {
    var fixture = KprobeFixture(.k9)
    fixture.kernel.moduleChanged("work", to: .live)
    func attempt(_ address: Address) -> KprobeError? {
      let id = fixture.kernel.declare(Kprobe(address: address))
      return refusal { () throws(KprobeError) in try fixture.kernel.register(id) }
    }
    #expect(attempt(setup) == .moduleInitFreed)
    #expect(attempt(core) == nil)
    fixture.kernel.freedInitialText(ofModule: "work")
    #expect(attempt(setup) == .notText)
    fixture.kernel.moduleChanged("work", to: .going)
    #expect(attempt(core + 8) == .moduleGoing)
    let isKnown = fixture.kernel.moduleChanged("no such", to: .live)
    #expect(!isKnown)
    fixture.kernel.freedInitialText(ofModule: "no such")
  }

  @Test("a probe by the function tracer is disarmed with its module since 5.10")
  func ftrace() throws {
    for epoch in KprobeEpoch.allCases {
      var text = KprobeFixture.text()
      text.ftraceCalls = [core..<core + 5]
      var fixture = KprobeFixture(epoch, text: text)
      _ = try fixture.probe(core)
      fixture.kernel.moduleChanged("work", to: .going)
      #expect(fixture.entry(core)?.isArmed == (epoch < .k6), "\(epoch)")
    }
  }

  @Test("a probe by the function tracer that its owner marked as disabled keeps its hook")
  func ftraceMarked() throws {
    var text = KprobeFixture.text()
    text.ftraceCalls = [core..<core + 5]
    var fixture = KprobeFixture(.k10, text: text)
    let id = try fixture.probe(core)
    fixture.kernel.edit(id) { $0.flags.insert(.disabled) }
    fixture.kernel.moduleChanged("work", to: .going)
    #expect(fixture.entry(core)?.isArmed == true)
  }

  @Test("a module's blacklist is in force while it is loaded, since 5.8")
  func blacklist() throws {
    for epoch in KprobeEpoch.allCases {
      var text = KprobeFixture.text()
      text.symbols.append(KernelSymbol("guarded", at: core + 0x200, size: 0x10))
      text.modules[0].blacklist = [core, 0x1]
      text.modules[0].blacklistedAreas = [core + 0x200..<core + 0x210]
      var fixture = KprobeFixture(epoch, text: text)
      fixture.kernel.moduleChanged("work", to: .coming)
      for address in [core + 1, core + 0x201] {
        let id = fixture.kernel.declare(Kprobe(address: address))
        let error = refusal { () throws(KprobeError) in try fixture.kernel.register(id) }
        #expect(error == (epoch < .k5 ? nil : .blacklisted), "\(epoch)")
      }
      fixture.kernel.moduleChanged("work", to: .going)
      #expect(fixture.kernel.blacklist.entries == [])
    }
  }

  @Test("the kernel's own initialisation text takes its probes with it")
  func initialText() throws {
    var fixture = KprobeFixture()
    let inside = try fixture.probe(fork)
    let outside = try fixture.probe(KprobeFixture.read)
    fixture.kernel.freedInitialText(fork..<fork + 1)
    #expect(fixture.kernel.table[inside]?.flags.contains(.gone) == true)
    #expect(fixture.kernel.table[outside]?.flags.contains(.gone) == false)
  }
}

import KernelModel
import ProbeEvents
import Testing

@Suite("Bringing kprobes up")
struct KprobeBootTests {
  static let whole: [KprobeBoot.Step] = [
    .table, .blacklist, .returnBlacklist, .defaults, .architecture, .dieNotifier, .moduleNotifier,
  ]

  func environment() -> KprobeBoot.Environment {
    var environment = KprobeBoot.Environment()
    environment.returnBlacklist = ["read"]
    return environment
  }

  @Test(
    "the steps are taken in order, and end with self-tests until 5.9",
    arguments: KprobeEpoch.allCases)
  func order(epoch: KprobeEpoch) {
    var fixture = KprobeFixture(epoch)
    let boot = KprobeBoot(environment(), in: &fixture.kernel)
    #expect(boot.steps == Self.whole + (epoch < .k6 ? [.selfTest] : []))
    #expect(boot.isInitialized)
    #expect(boot.complaints == [])
  }

  @Test("a step that fails leaves out those behind it", arguments: KprobeBoot.Step.allCases)
  func failure(step: KprobeBoot.Step) {
    var fixture = KprobeFixture(.k0)
    var environment = environment()
    environment.failing = [step]
    let boot = KprobeBoot(environment, in: &fixture.kernel)
    switch step {
    case .architecture, .dieNotifier, .moduleNotifier:
      #expect(boot.steps.last == step)
      #expect(!boot.isInitialized)
    case .table, .blacklist, .returnBlacklist, .defaults, .selfTest:
      #expect(boot.steps == Self.whole + [.selfTest])
      #expect(boot.isInitialized)
    }
  }

  @Test("kprobes are told of traps before everybody who was there earlier, of modules in turn")
  func notifiers() {
    var fixture = KprobeFixture()
    var environment = environment()
    environment.dieChain.register("debugger", priority: 100)
    environment.dieChain.register("last", priority: .min)
    environment.moduleChain.register("tracer", priority: 1)
    environment.moduleChain.register("profiler", priority: 0)
    environment.moduleChain.register("slow", priority: -5)
    let boot = KprobeBoot(environment, in: &fixture.kernel)
    #expect(boot.dieChain.listeners.map(\.name) == ["kprobes", "debugger", "last"])
    #expect(
      boot.moduleChain.listeners.map(\.name) == ["tracer", "profiler", "kprobes", "slow"])
    #expect(boot.dieChain.told(stoppedBy: []) == ["kprobes", "debugger", "last"])
    #expect(boot.dieChain.told(stoppedBy: ["debugger"]) == ["kprobes", "debugger"])
    #expect(boot.dieChain.told(stoppedBy: ["kprobes", "last"]) == ["kprobes"])
  }

  @Test("coming up begins with an empty table and blacklist, armed and with optimisation allowed")
  func anew() throws {
    var fixture = KprobeFixture(.k10)
    var environment = environment()
    environment.annotated = [KprobeFixture.read]
    for _ in 0..<2 {
      _ = KprobeBoot(environment, in: &fixture.kernel)
      #expect(fixture.kernel.table.listed.isEmpty)
      #expect(fixture.kernel.blacklist.entries.count == 1)
      #expect(!fixture.kernel.areAllDisarmed && fixture.kernel.allowsOptimization)
      _ = try fixture.probe(KprobeFixture.fork)
      fixture.kernel.disarmAll()
      fixture.kernel.setOptimization(false)
    }
  }

  @Test("a hole in a section is complained about, and kprobes come up all the same")
  func blacklistHole() {
    var environment = environment()
    environment.annotated = [0x1]
    environment.areas = [KprobeFixture.read..<KprobeFixture.read + 0x200]
    var fixture = KprobeFixture(.k10)
    let boot = KprobeBoot(environment, in: &fixture.kernel)
    #expect(boot.complaints == [.blacklist(.addressWithoutSymbol)])
    #expect(boot.isInitialized)
    #expect(fixture.kernel.blacklist.entries.count == 1)
  }

  @Test("until 4.20 the section of probe code is tested as a whole")
  func probeText() {
    for epoch in KprobeEpoch.allCases {
      var fixture = KprobeFixture(epoch)
      var environment = environment()
      environment.probeText = KprobeFixture.read..<KprobeFixture.read + 0x100
      environment.areas = [KprobeFixture.write..<KprobeFixture.write + 0x100]
      _ = KprobeBoot(environment, in: &fixture.kernel)
      let list = fixture.kernel.blacklist
      #expect(list.entries.count == (epoch < .k3 ? 0 : 2))
      let rules = fixture.kernel.rules
      #expect(list.contains(KprobeFixture.read, in: fixture.kernel.text, rules: rules))
      #expect(
        list.contains(KprobeFixture.write, in: fixture.kernel.text, rules: rules)
          == (epoch >= .k3))
    }
  }

  @Test("functions that must not be return-probed are looked up once, those not found named")
  func returnBlacklist() {
    var fixture = KprobeFixture()
    var environment = KprobeBoot.Environment()
    environment.returnBlacklist = ["read", "__switch_to"]
    let boot = KprobeBoot(environment, in: &fixture.kernel)
    #expect(boot.complaints == [.noFunction("__switch_to")])
    #expect(
      boot.returnBlacklist == [
        KprobeBoot.ReturnBlacklistEntry(name: "read", address: KprobeFixture.read),
        KprobeBoot.ReturnBlacklistEntry(name: "__switch_to", address: 0),
      ])
    let id = fixture.kernel.declareReturnProbe(symbol: "read")
    #expect(
      refusal { () throws(KprobeError) in try fixture.kernel.registerReturnProbe(id) }
        == .returnBlacklisted)
    var bare = KprobeFixture()
    let plain = KprobeBoot(KprobeBoot.Environment(), in: &bare.kernel)
    #expect(!plain.steps.contains(.returnBlacklist))
  }
}

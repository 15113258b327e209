import KernelModel
import ProbeEvents
import Testing

@Suite("Rules of a kernel")
struct ReturnProbeRulesTests {
  @Test("each rule changes where the kernel changed it", arguments: Epoch.allCases)
  func epochs(epoch: Epoch) {
    let rules = ReturnProbeRules(epoch: epoch, architecture: .x86_64)
    #expect(rules.depthAccounting == (epoch == .e0 ? .leaksUnlessChained : .exact))
    #expect(rules.childInheritance == (epoch <= .e1 ? .none : .forkAndVfork))
    #expect(rules.liveness == (epoch <= .e2 ? .none : .stackPointer))
    #expect(rules.noInstanceSignal == (epoch <= .e2 ? .trap : .forcedIllegalFromKernel))
    #expect(rules.returnTrampoline == (epoch <= .e3 ? .breakpoint : .systemCall))
    #expect(rules.compatWordSize == (epoch <= .e2 ? .eight : .four))
    #expect(rules.popping == (epoch <= .e3 ? .afterHandlers : .beforeHandlers))
  }

  @Test("arm64 keeps the breakpoint in every epoch", arguments: Epoch.allCases)
  func arm64(epoch: Epoch) {
    let rules = ReturnProbeRules(epoch: epoch, architecture: .aarch64)
    #expect(rules.returnTrampoline == .breakpoint)
  }

  @Test(
    "32-bit words are read right since 5.3 and in the stable kernels that took it over",
    arguments: [
      ("3.10.99", 8), ("3.16.77", 8), ("3.16.78", 4), ("4.2.8", 8), ("4.4.155", 8),
      ("4.4.190", 8), ("4.4.191", 4), ("4.9.115", 8), ("4.9.191", 4), ("4.14.141", 8),
      ("4.14.142", 4), ("4.14.177", 4), ("4.15.18", 8), ("4.19.69", 8), ("4.19.70", 4),
      ("4.19.78", 4), ("4.20.0", 8), ("5.0.1", 8), ("5.2.11", 8), ("5.2.12", 4), ("5.3.1", 4),
      ("5.4.18", 4), ("6.1.0-18-amd64", 4),
    ])
  func compatWordSize(release: String, size: UInt8) {
    let rules = ReturnProbeRules(kernel: KernelFacts(architecture: .x86_64, release: release))
    #expect(rules.compatWordSize.rawValue == size)
  }

  @Test(
    "the signal without an instance carries SI_KERNEL since 4.20",
    arguments: [
      ("4.2.8", 5, nil), ("4.3", 4, 0), ("4.19.78", 4, 0), ("4.20.0", 4, 128), ("6.18.44", 4, 128),
    ] as [(String, Int32, Int32?)])
  func noInstanceSignal(release: String, number: Int32, code: Int32?) {
    let rules = ReturnProbeRules(kernel: KernelFacts(architecture: .x86_64, release: release))
    #expect(rules.noInstanceSignal.number == number)
    #expect(rules.noInstanceSignal.code == code)
  }

  @Test("an observed trampoline counts for more than the release", arguments: Epoch.allCases)
  func observedTrampoline(epoch: Epoch) throws {
    let release = try #require(epoch.kernels.split(separator: " ").first)
    for (value, expected) in [
      ("breakpoint", ReturnProbeRules.ReturnTrampoline.breakpoint), ("syscall", .systemCall),
    ] {
      let rules = ReturnProbeRules(
        kernel: KernelFacts(
          architecture: .x86_64, release: String(release),
          facts: [KernelFact(.returnTrampoline, value)]))
      #expect(rules.returnTrampoline == expected)
    }
  }

  @Test("an observed si_code counts for more than the release")
  func observedSignalCode() {
    func rules(_ code: String) -> ReturnProbeRules {
      ReturnProbeRules(
        kernel: KernelFacts(
          architecture: .x86_64, release: "6.1.0",
          facts: [KernelFact(.noInstanceSignalCode, code)]))
    }
    #expect(rules("0").noInstanceSignal == .forcedIllegal)
    #expect(rules("128").noInstanceSignal == .forcedIllegalFromKernel)
    #expect(rules("none").noInstanceSignal == .forcedIllegalFromKernel)
  }

  @Test("facts that no rule knows change nothing")
  func unknownFacts() {
    let plain = KernelFacts(architecture: .x86_64, release: "6.1.0")
    var odd = plain
    odd.set(KernelFact(.returnTrampoline, "carrier pigeon"))
    odd.set(KernelFact(name: "colour", value: "blue", isObserved: true))
    #expect(ReturnProbeRules(kernel: odd) == ReturnProbeRules(kernel: plain))
  }

  @Test("a release that says nothing counts as the newest", arguments: ["", "unknown", "2.6.32"])
  func unknownRelease(release: String) {
    for architecture in Architecture.allCases {
      #expect(
        ReturnProbeRules(kernel: KernelFacts(architecture: architecture, release: release))
          == ReturnProbeRules(epoch: .e9, architecture: architecture))
    }
  }

  @Test("Debian hides the stable release it is built from in the version")
  func debian() {
    func rules(_ release: String, _ version: String) -> ReturnProbeRules {
      ReturnProbeRules(
        kernel: KernelFacts(architecture: .x86_64, release: release, version: version))
    }
    let buster = "4.19.0-26-amd64"
    #expect(rules(buster, "#1 SMP Debian 4.19.304-1 (2024-01-09)").compatWordSize == .four)
    #expect(rules(buster, "#1 SMP Debian 4.19.28-2 (2019-03-15)").compatWordSize == .eight)
    #expect(rules(buster, "").compatWordSize == .eight)
    #expect(rules(buster, "#1 SMP Debian").compatWordSize == .eight)
    // Another kernel's version says nothing about this one.
    #expect(rules(buster, "#1 SMP Debian 6.1.76-1").compatWordSize == .eight)
  }
}

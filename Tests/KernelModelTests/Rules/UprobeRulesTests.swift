import ProbeEvents
import Testing

@testable import KernelModel

@Suite("Rules of uprobes")
struct UprobeRulesTests {
  static func rules(_ release: String, _ architecture: Architecture = .x86_64) -> UprobeRules {
    UprobeRules(kernel: KernelFacts(architecture: architecture, release: release))
  }

  @Test("stray breakpoints are forced since 5.8 and in the stable kernels that took it over")
  func strayBreakpoint() {
    for (release, isForced) in [
      ("5.7.10", false), ("5.7.11", true), ("5.4.18", false), ("5.4.59", true), ("5.8", true),
      ("4.19.300", false), ("6.1", true), ("3.10", false),
    ] {
      #expect((Self.rules(release).strayBreakpoint == .forced) == isForced, "\(release)")
    }
  }

  @Test("a moved instruction pointer skips the instruction since 6.18 and in stable kernels")
  func movedInstructionPointer() {
    for (release, skips) in [
      ("6.17.9", false), ("6.18", true), ("6.12.57", false), ("6.12.58", true),
      ("6.1.158", false), ("6.1.159", true), ("5.10.246", false), ("5.10.247", true),
      ("5.15.300", false), ("7.3", true),
    ] {
      #expect(
        (Self.rules(release).movedInstructionPointer == .skipsInstruction) == skips, "\(release)")
    }
  }

  @Test("which instructions are emulated grew with 3.16, 4.16, 6.18 and after")
  func emulation() {
    let expected: [(String, UprobeRules.InstructionEmulation)] = [
      ("3.15", .plainNop), ("3.16", .branches), ("4.15.18", .branches), ("4.16", .pushes),
      ("4.19.78", .pushes), ("6.17", .pushes), ("6.18", .canonicalNops),
      ("6.18.44", .canonicalNops), ("6.19", .recognisedNops), ("7.2", .recognisedNops),
    ]
    for (release, emulation) in expected {
      #expect(Self.rules(release).emulation == emulation, "\(release)")
    }
    let epochs: [UprobeRules.InstructionEmulation] = [
      .plainNop, .plainNop, .branches, .pushes, .pushes, .pushes, .pushes, .pushes,
      .recognisedNops, .recognisedNops,
    ]
    #expect(
      Epoch.allCases.map { UprobeRules(epoch: $0, architecture: .x86_64).emulation } == epochs)
  }

  @Test("reference counters came with 4.20, alignment with 5.8")
  func registrationChecks() {
    let expected: [(String, UprobeRules.RegistrationChecks)] = [
      ("4.19.99", .withoutReferenceCounters), ("4.20", .referenceCounters),
      ("5.4.58", .referenceCounters), ("5.4.59", .alignment), ("5.7", .referenceCounters),
      ("5.8", .alignment),
    ]
    for (release, checks) in expected {
      #expect(Self.rules(release).registrationChecks == checks, "\(release)")
    }
    #expect(UprobeRules.RegistrationChecks(.e2) == .withoutReferenceCounters)
    #expect(UprobeRules.RegistrationChecks(.e3) == .alignment)
  }

  @Test("what arm64 simulates and refuses changed with 6.12, its stable kernels, and 6.13")
  func simulation() {
    let expected: [(String, UprobeRules.ARM64Simulation)] = [
      ("6.11.4", .literalLoads), ("6.11.5", .noLiteralLoads), ("6.1.114", .literalLoads),
      ("6.1.115", .noLiteralLoads), ("5.10.228", .literalLoads), ("5.10.229", .noLiteralLoads),
      ("6.12", .noMemoryCopies), ("6.13", .nop), ("4.10", .literalLoads),
    ]
    for (release, simulation) in expected {
      #expect(Self.rules(release, .aarch64).simulation == simulation, "\(release)")
    }
    #expect(
      [.e4, .e5, .e6].map(UprobeRules.ARM64Simulation.init)
        == [.literalLoads, .noMemoryCopies, .nop])
  }

  @Test("32-bit processes are refused with a known number since 5.11 and 5.10.20")
  func compatRefusal() {
    for (release, number) in [
      ("5.10.19", 524), ("5.10.20", 95), ("5.11", 95), ("5.9", 524), ("6.1", 95),
    ] {
      #expect(Self.rules(release).compatRefusal.rawValue == Int32(number), "\(release)")
    }
    #expect(UprobeRules.CompatRefusal(.e2).rawValue == 524)
    #expect(UprobeRules.CompatRefusal(.e3).rawValue == 95)
  }

  @Test("what a release says of return instances counts, stable kernels included")
  func returns() {
    // 5.3 is written with two numbers as well as with three.
    #expect(KernelRelease("5.3") == KernelRelease("5.3.0"))
    for (release, size) in [
      ("5.3", ReturnProbeRules.CompatWordSize.four), ("5.3.0", .four), ("5.2.12", .four),
      ("5.2.11", .eight),
    ] {
      #expect(Self.rules(release).returns.compatWordSize == size)
    }
  }

  @Test("failed fix-ups kill since 3.16")
  func failedFixUp() {
    #expect(Self.rules("3.15").failedFixUp == .ignored)
    #expect(Self.rules("3.16").failedFixUp == .illegalInstruction)
  }

  @Test("handlers, lifetimes and optimised sites follow the epochs")
  func epochs() {
    let rules = Epoch.allCases.map { UprobeRules(epoch: $0, architecture: .x86_64) }
    #expect(
      rules.map(\.handlerChain)
        == [.removeBit, .removeBit, .removeBit, .removeBit, .removeBit, .removeBitFiltered]
        + Array(repeating: .sessions, count: 4))
    #expect(rules.map { $0.probeLifetime == .perRegistration } == Epoch.allCases.map { $0 >= .e5 })
    #expect(
      rules.map(\.optimizedSites)
        == Array(repeating: .none, count: 8) + [.nop5, .nop10])
    #expect(rules.map(\.architecture) == Array(repeating: .x86_64, count: 10))
  }

  @Test("an observed optimised site counts for more than the release")
  func observed() {
    var facts = KernelFacts(architecture: .x86_64, release: "6.18.44")
    #expect(UprobeRules(kernel: facts).optimizedSites == .nop5)
    facts.set(KernelFact(.optimizedSites, "none"))
    #expect(UprobeRules(kernel: facts).optimizedSites == .none)
    facts.set(KernelFact(.optimizedSites, "sometimes"))
    #expect(UprobeRules(kernel: facts).optimizedSites == .nop5)
    #expect(UprobeRules(kernel: facts).returns == ReturnProbeRules(kernel: facts))
  }

  @Test("a release that says nothing counts as the newest")
  func unknown() {
    #expect(
      Self.rules("unknown") == UprobeRules(epoch: .e9, architecture: .x86_64))
  }
}

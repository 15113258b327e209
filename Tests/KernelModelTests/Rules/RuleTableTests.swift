import ProbeEvents
import Testing

@testable import KernelModel

@Suite("Table of rules")
struct RuleTableTests {
  @Test("every rule that differs between epochs has a row, on the architecture it is about")
  func complete() throws {
    for architecture in Architecture.allCases {
      let uprobes = UprobeRules.table(architecture)
      let expected =
        Set(
          Self.differing(Epoch.allCases.map { UprobeRules(epoch: $0, architecture: architecture) })
        )
        .subtracting(["returns"])
        .subtracting(architecture == .x86_64 ? ["simulation", "compatRefusal"] : ["emulation"])
      #expect(Set(uprobes.map(\.rule)) == expected)
      let kprobes = KprobeRules.table(architecture)
      let expectedKprobes =
        Set(
          Self.differing(
            KprobeEpoch.allCases.map { KprobeRules(epoch: $0, architecture: architecture) })
        ).subtracting(
          architecture == .x86_64
            ? ["debugMask", "userBreakpoint", "debugDispatch", "simulation"]
            : ["trappingInstructions"])
      #expect(Set(kprobes.map(\.rule)) == expectedKprobes)
      #expect(uprobes.allSatisfy { $0.values.count == Epoch.allCases.count })
      #expect(kprobes.allSatisfy { $0.values.count == KprobeEpoch.allCases.count })
    }
  }

  @Test("a row says what the kernels of each epoch do")
  func rows() throws {
    let rows = UprobeRules.table(.x86_64)
    let sites = try #require(rows.first { $0.rule == "optimizedSites" })
    #expect(sites.room == "BreakpointHit")
    #expect(sites.values == Array(repeating: "none", count: 8) + ["nop5", "nop10"])
    // arm64 has no optimised sites in any epoch.
    #expect(!UprobeRules.table(.aarch64).contains { $0.rule == "optimizedSites" })
    let stepping = try #require(
      KprobeRules.table(.x86_64).first { $0.rule == "stepping" })
    // Since 5.13, the ninth epoch.
    #expect(stepping.values.firstIndex(of: "breakpoint") == 8)
    let armStepping = try #require(
      KprobeRules.table(.aarch64).first { $0.rule == "stepping" })
    #expect(armStepping.values.firstIndex(of: "breakpoint") == 6)
  }

  private static func differing(_ rules: [some Any]) -> [String] {
    let all = rules.map { Array(Mirror(reflecting: $0).children) }
    return all[0].indices.compactMap { index in
      Set(all.map { "\($0[index].value)" }).count > 1 ? all[0][index].label : nil
    }
  }
}

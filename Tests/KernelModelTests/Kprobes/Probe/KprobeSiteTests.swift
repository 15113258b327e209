import KernelModel
import ProbeEvents
import Testing

@Suite("Checks of a place")
struct KprobeSiteTests {
  static let address: Address = 0x1000

  /// The kernel's checks in order, as a list of conditions and what each refuses with.
  func expected(_ site: KprobeSite, _ rules: KprobeRules) -> KprobeError? {
    let isNew = rules.ftraceInside == .notSpecial
    let marked: [(TextMark.Meaning, KprobeRules.SiteChecks)] = [
      (.jumpLabel, .jumpLabel), (.staticCall, .staticCall), (.bug, .bug), (.gateArea, .gateArea),
      (.preamble, .preamble),
    ]
    let checks: [(Bool, KprobeError)] = [
      (
        site.ftrace != .none && !site.canUseFtrace && !(isNew && site.ftrace == .inside),
        .ftraceUnavailable
      ),
      (site.ftrace == .inside && !isNew, .insideFtraceCall),
      (!site.isCore && site.module == nil, .notText),
      (site.isBlacklisted, .blacklisted),
      (marked.contains { site.marks.contains($0.0) && rules.siteChecks.contains($0.1) }, .reserved),
      (!site.isCore && site.module?.canBePinned == false, .moduleGoing),
      (
        !site.isCore && site.module?.initText.contains(site.address) == true
          && site.module?.state != .coming, .moduleInitFreed
      ),
    ]
    return checks.first { $0.0 }?.1
  }

  /// All places that differ in what is checked.
  static func sites() -> [KprobeSite] {
    var modules: [KernelModule?] = [nil]
    for isInit in [true, false] {
      for canBePinned in [true, false] {
        for state in KernelModule.State.allCases {
          modules.append(
            KernelModule(
              "m", core: 0x900..<0x2000, initText: isInit ? 0x1000..<0x1001 : 0..<0,
              state: state, canBePinned: canBePinned))
        }
      }
    }
    let marks: [Set<TextMark.Meaning>] =
      [[]] + TextMark.Meaning.allCases.map { [$0] } + [[.jumpLabel, .bug]]
    var sites: [KprobeSite] = []
    for isCore in [true, false] {
      for module in modules {
        for isBlacklisted in [true, false] {
          for marks in marks {
            for ftrace in KprobeSite.Ftrace.allCases {
              for canUseFtrace in [true, false] {
                var site = KprobeSite(address: address, instruction: .plain(.x86_64))
                site.isCore = isCore
                site.module = module
                site.isBlacklisted = isBlacklisted
                site.marks = marks
                site.ftrace = ftrace
                site.canUseFtrace = canUseFtrace
                sites.append(site)
              }
            }
          }
        }
      }
    }
    return sites
  }

  @Test(
    "every combination is refused for the first reason in the kernel's order",
    arguments: KprobeEpoch.allCases)
  func table(epoch: KprobeEpoch) {
    let rules = KprobeRules(epoch: epoch, architecture: .x86_64)
    let sites = Self.sites()
    var seen: Set<KprobeError?> = []
    for site in sites {
      let want = expected(site, rules)
      var usesFtrace = false
      let error = refusal { () throws(KprobeError) in usesFtrace = try rules.check(site) }
      seen.insert(error)
      guard error == want, usesFtrace == (error == nil && site.ftrace == .start) else {
        Issue.record("\(site): \(String(describing: error)), \(usesFtrace)")
        return
      }
    }
    #expect(seen.count == (rules.ftraceInside == .refused ? 8 : 7))
  }

  @Test(arguments: KprobeEpoch.allCases)
  func `an address of which no more is known is outside of all text`(epoch: KprobeEpoch) throws {
    let rules = KprobeRules(epoch: epoch, architecture: .x86_64)
    var site = KprobeSite(address: Self.address, instruction: .plain(.x86_64))
    #expect(refusal { () throws(KprobeError) in _ = try rules.check(site) } == .notText)
    // In the text nothing else speaks against it, nor against the function tracer.
    site.isCore = true
    #expect(try rules.check(site) == false)
    site.ftrace = .start
    #expect(try rules.check(site))
  }
}

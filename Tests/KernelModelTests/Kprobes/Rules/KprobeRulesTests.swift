import KernelModel
import ProbeEvents
import Testing

@Suite("Kprobe rules")
struct KprobeRulesTests {
  func x86(_ epoch: KprobeEpoch) -> KprobeRules { KprobeRules(epoch: epoch, architecture: .x86_64) }
  func arm(_ epoch: KprobeEpoch) -> KprobeRules {
    KprobeRules(epoch: epoch, architecture: .aarch64)
  }
  func kernel(_ release: String, _ architecture: Architecture = .x86_64) -> KprobeRules {
    KprobeRules(kernel: KernelFacts(architecture: architecture, release: release))
  }

  @Test(
    "a release belongs to the epoch of its kprobe rules",
    arguments: [
      ("3.10.99", KprobeEpoch.k0), ("3.15.5", .k0), ("3.16", .k1), ("4.15.18", .k1),
      ("4.18.0", .k1), ("4.19.304", .k2), ("4.20", .k2), ("5.0.1", .k3), ("5.2.0", .k4),
      ("5.4.59", .k4), ("5.8.1", .k5), ("5.9.1", .k5), ("5.10.13", .k6), ("5.11.4", .k7),
      ("5.12", .k7), ("5.13", .k8), ("5.14", .k9), ("5.15.167", .k9), ("5.17", .k9), ("5.18", .k10),
      ("5.19.9", .k10),
      ("6.1.192", .k10), ("6.2", .k11), ("6.4", .k12), ("6.6.1", .k12), ("6.7", .k13),
      ("6.8", .k13),
      ("6.12.117", .k13), ("6.17", .k14), ("7.1.5", .k14), ("7.2", .k15), ("9.0", .k15),
    ])
  func releases(release: String, epoch: KprobeEpoch) {
    #expect(KprobeEpoch(release: release) == epoch)
  }

  @Test("kernels before 3.10 and text that is no release have no kprobe epoch")
  func nonsense() {
    for release in ["3.9", "2.6.32", "", "six"] { #expect(KprobeEpoch(release: release) == nil) }
  }

  @Test("kprobe epochs are named and ordered by time")
  func order() {
    #expect(KprobeEpoch.allCases.map(\.name) == (0...15).map { "K\($0)" })
    #expect(KprobeEpoch.allCases == KprobeEpoch.allCases.sorted())
  }

  @Test("handling of hits changes where the kernel changed it", arguments: KprobeEpoch.allCases)
  func hits(epoch: KprobeEpoch) {
    #expect(x86(epoch).stepReentry == (epoch < .k1 ? .unrecoverable : .recoverable))
    #expect(arm(epoch).stepReentry == (epoch < .k15 ? .unrecoverable : .recoverable))
    for rules in [x86(epoch), arm(epoch)] {
      #expect(rules.handledHit == (epoch < .k2 ? .staysRunning : .isReset))
      #expect(rules.breakHandlers == (epoch < .k2 ? .called : .none))
      #expect(rules.faultFlags == (epoch < .k8 ? .stayMasked : .restored))
      #expect(rules.debugMask == (epoch < .k3 ? .clearedForReentry : .cleared))
      #expect(rules.strayBreakpoint == (epoch < .k12 ? .triedAgain : .declined))
      #expect(
        rules.debugDispatch
          == (epoch < .k4 ? .kprobesFirst : epoch < .k14 ? .hooks : .perClass))
    }
    #expect(x86(epoch).stepping == (epoch < .k8 ? .hardware : .breakpoint))
    #expect(arm(epoch).stepping == (epoch < .k6 ? .hardware : .breakpoint))
    #expect(x86(epoch).userBreakpoint == .declined)
    #expect(arm(epoch).userBreakpoint == (epoch < .k3 ? .taken : .declined))
    #expect(x86(epoch).handlerFault == (epoch < .k9 ? .asksFaultHandler : .ordinary))
    #expect(
      arm(epoch).handlerFault
        == (epoch < .k9 ? .asksFaultHandler : epoch < .k12 ? .asksExceptionTable : .ordinary))
    #expect(x86(epoch).stepFault == .onlyAtCopy)
    #expect(arm(epoch).simulation == (epoch < .k13 ? .literalLoads : .nop))
    #expect(arm(epoch).stepFault == (epoch < .k15 ? .anywhere : .onlyAtCopy))
  }

  @Test("registration changes where the kernel changed it", arguments: KprobeEpoch.allCases)
  func registration(epoch: KprobeEpoch) {
    #expect(x86(epoch).landingPad == (epoch < .k10 ? .kept : .skipped))
    #expect(arm(epoch).landingPad == (epoch < .k10 ? .kept : .symbolOnly))
    for rules in [x86(epoch), arm(epoch)] {
      #expect(
        rules.blacklist
          == (epoch < .k1
            ? .byName : epoch < .k3 ? .annotated : epoch < .k5 ? .areas : .areasOfModules))
      #expect(rules.ftraceInside == (epoch < .k10 ? .refused : .notSpecial))
      #expect(
        rules.trappingInstructions
          == (epoch < .k2 ? .probed : epoch < .k12 ? .maskingRefused : .refused))
      #expect(rules.goneFtrace == (epoch < .k6 ? .staysArmed : .isDisarmed))
      #expect(rules.bootStage == (epoch < .k6 ? .drivers : .early))
      #expect(rules.siteChecks.contains(.jumpLabel))
      #expect(rules.siteChecks.contains(.staticCall) == (epoch >= .k6))
      #expect(rules.siteChecks.contains(.bug) == (epoch >= .k10))
      #expect(rules.siteChecks.contains(.gateArea) == (epoch >= .k11))
      #expect(rules.siteChecks.contains(.preamble) == (epoch >= .k13))
    }
  }

  @Test("return probes change where the kernel changed them", arguments: KprobeEpoch.allCases)
  func returns(epoch: KprobeEpoch) {
    for rules in [x86(epoch), arm(epoch)] {
      #expect(
        rules.returnProbesInNMI == (epoch < .k1 || epoch >= .k6 ? .allowed : .missed))
      #expect(rules.defaultInstances == (epoch < .k11 ? .byPreemption : .atLeastTen))
    }
    let old: KprobeRules.ReturnStorage = epoch < .k4 ? .hashTable : .hashTableWithFrames
    #expect(
      x86(epoch).returnStorage == (epoch < .k7 ? old : epoch < .k10 ? .perTask : .rethook))
    #expect(
      arm(epoch).returnStorage == (epoch < .k7 ? old : epoch < .k13 ? .perTask : .objectPool))
  }

  @Test("stable kernels have what they took over")
  func backports() {
    #expect(kernel("5.10.189").stepping == .hardware)
    #expect(kernel("5.10.190").stepping == .breakpoint)
    #expect(kernel("5.11.4").stepping == .hardware)
    #expect(kernel("5.9.1", .aarch64).stepping == .hardware)
    #expect(kernel("6.1.114", .aarch64).simulation == .literalLoads)
    #expect(kernel("6.1.115", .aarch64).simulation == .noLiteralLoads)
    #expect(kernel("6.1.188", .aarch64).stepReentry == .unrecoverable)
    #expect(kernel("6.1.189", .aarch64).stepReentry == .recoverable)
    #expect(kernel("6.12.116", .aarch64).stepReentry == .unrecoverable)
    #expect(kernel("6.12.117", .aarch64).stepReentry == .recoverable)
    #expect(kernel("3.15.5").stepReentry == .unrecoverable)
    #expect(kernel("5.9.1").returnProbesInNMI == .missed)
    #expect(kernel("5.9.15").returnProbesInNMI == .allowed)
    #expect(kernel("6.1.2").defaultInstances == .byPreemption)
    #expect(kernel("6.1.3").defaultInstances == .atLeastTen)
    #expect(kernel("6.12.116", .aarch64).debugDispatch == .hooks)
    #expect(kernel("6.12.117", .aarch64).debugDispatch == .perClass)
    #expect(!kernel("5.10.142").siteChecks.contains(.gateArea))
    #expect(kernel("5.10.143").siteChecks.contains(.gateArea))
    #expect(!kernel("5.19.8").siteChecks.contains(.gateArea))
    #expect(kernel("5.19.9").siteChecks.contains(.gateArea))
    #expect(kernel("6.0.1").siteChecks.contains(.gateArea))
    #expect(kernel("6.1.1").siteChecks.contains(.gateArea))
    #expect(!kernel("5.1.1").siteChecks.contains(.gateArea))
    #expect(!kernel("5.10.194").siteChecks.contains(.preamble))
    #expect(kernel("5.10.195").siteChecks.contains(.preamble))
    #expect(!kernel("6.1.52").siteChecks.contains(.preamble))
    #expect(kernel("6.1.53").siteChecks.contains(.preamble))
  }

  @Test("a release that says nothing has the newest kprobe rules")
  func unknown() {
    for architecture in Architecture.allCases {
      #expect(
        kernel("unknown", architecture) == KprobeRules(epoch: .k15, architecture: architecture))
    }
  }
}

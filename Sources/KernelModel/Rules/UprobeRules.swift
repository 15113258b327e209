public import ProbeEvents

/// The rules by which a kernel places, hits and steps uprobes; those of returns are part of them.
///
/// As with ``ReturnProbeRules``, each rule is a named choice, and epochs and releases only fill them
/// in.
public struct UprobeRules: Sendable, Hashable {
  /// The rules of return instances, which also name the architecture.
  public var returns: ReturnProbeRules
  /// What registration checks, beside what it always did.
  public var registrationChecks: RegistrationChecks
  /// Who keeps a probe alive.
  public var probeLifetime: ProbeLifetime
  /// What the results of entry handlers decide, and which return handlers run.
  public var handlerChain: HandlerChain
  /// The signal for a breakpoint that is nobody's.
  public var strayBreakpoint: StrayBreakpoint
  /// What a handler that moves the instruction pointer achieves.
  public var movedInstructionPointer: MovedInstructionPointer
  /// Which x86-64 instructions are emulated.
  public var emulation: InstructionEmulation
  /// Which sites become calls.
  public var optimizedSites: OptimizedSites
  /// What a failed fix-up after a step leads to.
  public var failedFixUp: FailedFixUp
  /// Which arm64 instructions are simulated.
  public var simulation: ARM64Simulation
  /// Whether processes may move their XOL page.
  public var xolPageMove: XOLPageMove
  /// How arm64 refuses 32-bit processes.
  public var compatRefusal: CompatRefusal

  /// Which architecture's hooks apply.
  public var architecture: Architecture { returns.architecture }

  /// The rules of an epoch, where they changed within it those of its last kernel.
  public init(epoch: Epoch, architecture: Architecture) {
    returns = ReturnProbeRules(epoch: epoch, architecture: architecture)
    registrationChecks = RegistrationChecks(epoch)
    probeLifetime = ProbeLifetime(epoch)
    handlerChain = HandlerChain(epoch)
    strayBreakpoint = StrayBreakpoint(epoch)
    movedInstructionPointer = MovedInstructionPointer(epoch)
    emulation = InstructionEmulation(epoch)
    optimizedSites = OptimizedSites(epoch, architecture)
    failedFixUp = FailedFixUp(epoch)
    simulation = ARM64Simulation(epoch)
    xolPageMove = XOLPageMove(epoch)
    compatRefusal = CompatRefusal(epoch)
  }

  /// The rules of the kernel a tape was recorded on: what was observed, and for the rest what its
  /// release usually does. A release that says nothing counts as the newest.
  public init(kernel: KernelFacts) {
    let release = KernelRelease(kernel)
    self.init(epoch: release.flatMap(Epoch.init) ?? .e9, architecture: kernel.architecture)
    returns = ReturnProbeRules(kernel: kernel)
    if let release {
      registrationChecks = RegistrationChecks(release)
      strayBreakpoint = StrayBreakpoint(release)
      movedInstructionPointer = MovedInstructionPointer(release)
      emulation = InstructionEmulation(release)
      failedFixUp = FailedFixUp(release)
      simulation = ARM64Simulation(release)
      compatRefusal = CompatRefusal(release)
    }
    if let observed = kernel[.optimizedSites].flatMap({ OptimizedSites(rawValue: $0.value) }) {
      optimizedSites = observed
    }
  }
}

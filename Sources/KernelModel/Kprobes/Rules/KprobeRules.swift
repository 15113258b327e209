public import ProbeEvents

/// The rules by which a kernel handles kprobes. Each is a named choice of its own; epochs and
/// releases are only ways to fill them in.
public struct KprobeRules: Sendable, Hashable {
  /// Which architecture's code applies.
  public var architecture: Architecture
  /// What happens to a hit while another probe's instruction is stepped.
  public var stepReentry: StepReentry
  /// What becomes of the running probe when its pre-handler returns non-zero.
  public var handledHit: HandledHit
  /// Whether a stray breakpoint is offered to the running probe's break handler.
  public var breakHandlers: BreakHandlers
  /// What is done about a fault in a handler.
  public var handlerFault: HandlerFault
  /// Which faults count as the stepped instruction's.
  public var stepFault: StepFault
  /// Whether a fault while stepping gives the interrupt flags back.
  public var faultFlags: FaultFlags
  /// How the copied instruction is stepped.
  public var stepping: Stepping
  /// When the debug mask is cleared for a hardware step on arm64.
  public var debugMask: DebugMask
  /// What happens at a breakpoint without a probe.
  public var strayBreakpoint: StrayBreakpoint
  /// Whether a kprobe breakpoint executed in user mode is taken for the kernel's, on arm64.
  public var userBreakpoint: UserBreakpoint
  /// How a debug exception finds its handler on arm64.
  public var debugDispatch: DebugDispatch
  /// What the blacklist is made of.
  public var blacklist: Blacklist
  /// Which places are refused, besides the blacklist.
  public var siteChecks: SiteChecks
  /// Whether a probe at a function's landing pad is moved behind it.
  public var landingPad: LandingPad
  /// Whether a place inside a function tracer's call is refused.
  public var ftraceInside: FtraceInside
  /// Which trapping instructions are refused on x86-64.
  public var trappingInstructions: TrappingInstructions
  /// Whether a probe that uses the function tracer is disarmed when its module goes.
  public var goneFtrace: GoneFtrace
  /// Whether return probes work in NMIs.
  public var returnProbesInNMI: ReturnProbesInNMI
  /// Which arm64 instructions are simulated, as for uprobes.
  public var simulation: UprobeRules.ARM64Simulation
  /// Where return instances are kept.
  public var returnStorage: ReturnStorage
  /// How many return instances a return probe gets that asks for none.
  public var defaultInstances: DefaultInstances
  /// When kprobes are initialised.
  public var bootStage: BootStage

  /// The rules of an epoch.
  ///
  /// arm64 has had kprobes since 4.8 only. For epochs before that its rules are those of 4.8.
  public init(epoch: KprobeEpoch, architecture: Architecture) {
    self.architecture = architecture
    stepReentry = StepReentry(epoch, architecture)
    handledHit = HandledHit(epoch)
    breakHandlers = BreakHandlers(epoch)
    handlerFault = HandlerFault(epoch, architecture)
    stepFault = StepFault(epoch, architecture)
    faultFlags = FaultFlags(epoch)
    stepping = Stepping(epoch, architecture)
    debugMask = DebugMask(epoch)
    strayBreakpoint = StrayBreakpoint(epoch)
    userBreakpoint = UserBreakpoint(epoch, architecture)
    debugDispatch = DebugDispatch(epoch)
    blacklist = Blacklist(epoch)
    siteChecks = SiteChecks(epoch)
    landingPad = LandingPad(epoch, architecture)
    ftraceInside = FtraceInside(epoch)
    trappingInstructions = TrappingInstructions(epoch)
    goneFtrace = GoneFtrace(epoch)
    returnProbesInNMI = ReturnProbesInNMI(epoch)
    simulation = UprobeRules.ARM64Simulation(epoch)
    returnStorage = ReturnStorage(epoch, architecture)
    defaultInstances = DefaultInstances(epoch)
    bootStage = BootStage(epoch)
  }

  /// The rules a kernel's release usually has, with the stable backports that are known. A release
  /// that says nothing counts as the newest.
  public init(kernel: KernelFacts) {
    guard let release = KernelRelease(kernel), let epoch = KprobeEpoch(release) else {
      self.init(epoch: .k15, architecture: kernel.architecture)
      return
    }
    self.init(epoch: epoch, architecture: kernel.architecture)
    if stepReentry == .unrecoverable && StepReentry.isBackported(to: release, architecture) {
      stepReentry = .recoverable
    }
    if stepping == .hardware && Stepping.isBackported(to: release, architecture) {
      stepping = .breakpoint
    }
    if returnProbesInNMI == .missed && release.isStable(of: 5, 9, since: 15) {
      returnProbesInNMI = .allowed
    }
    if defaultInstances == .byPreemption && release.isStable(of: 6, 1, since: 3) {
      defaultInstances = .atLeastTen
    }
    if debugDispatch == .hooks && release.isStable(of: 6, 12, since: 117) {
      debugDispatch = .perClass
    }
    simulation = UprobeRules.ARM64Simulation(release)
    siteChecks.formUnion(SiteChecks.backported(to: release))
  }
}

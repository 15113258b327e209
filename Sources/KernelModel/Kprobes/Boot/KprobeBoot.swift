public import ProbeEvents

/// How kprobes come up.
///
/// Kernel: kernel/kprobes.c init_kprobes()
public struct KprobeBoot: Sendable, Hashable {
  /// The steps that were taken, in order.
  public private(set) var steps: [Step] = []
  /// What the kernel logs about, in order.
  public private(set) var complaints: [Complaint] = []
  /// Whether probes can be registered with success.
  public private(set) var isInitialized = false
  /// The listeners told of traps.
  public private(set) var dieChain: NotifierChain
  /// The listeners told of modules.
  public private(set) var moduleChain: NotifierChain
  /// Where functions are that must not be return-probed, by name; 0 if they were not found.
  public private(set) var returnBlacklist: [ReturnBlacklistEntry] = []

  /// The steps of the initialisation.
  public enum Step: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// The table is made empty.
    case table
    /// The blacklist is filled.
    case blacklist
    /// The functions that must not be return-probed are looked up.
    case returnBlacklist
    /// Probes are armed and may be optimised.
    case defaults
    /// What the architecture needs; arm64 registers its break hooks (5.2 to 6.16).
    case architecture
    /// Kprobes are told of traps, before everybody else.
    case dieNotifier
    /// Kprobes are told of modules.
    case moduleNotifier
    /// Kprobes try themselves out (see ``KprobeRules/BootStage``).
    case selfTest
  }

  /// What the kernel logs about.
  public enum Complaint: Sendable, Hashable {
    /// The blacklist is not whole. Kprobes come up all the same.
    case blacklist(KprobeError)
    /// A function that must not be return-probed does not exist.
    case noFunction(String)
  }

  /// A function that must not be return-probed.
  public struct ReturnBlacklistEntry: Sendable, Hashable {
    /// Its name.
    public var name: String
    /// Its address, 0 if it was not found.
    public var address: Address

    /// A function.
    public init(name: String, address: Address) {
      self.name = name
      self.address = address
    }
  }

  /// What the kernel finds when it boots.
  public struct Environment: Sendable, Hashable {
    /// The functions that are annotated against probing.
    public var annotated: [Address] = []
    /// The sections whose functions must not be probed.
    public var areas: [Range<Address>] = []
    /// The section of probe code.
    public var probeText: Range<Address> = 0..<0
    /// The functions that must not be return-probed, by name.
    public var returnBlacklist: [String] = []
    /// The listeners that are there already.
    public var dieChain = NotifierChain()
    /// The listeners that are there already.
    public var moduleChain = NotifierChain()
    /// A step that fails, of those that can.
    public var failing: Set<Step> = []

    /// A kernel with nothing to protect.
    public init() {}
  }

  /// Brings kprobes up in a kernel. A failure of one of the last steps leaves out those behind it.
  public init(_ environment: Environment, in kernel: inout KprobeKernel) {
    dieChain = environment.dieChain
    moduleChain = environment.moduleChain
    steps = [.table, .blacklist]
    kernel.table = KprobeTable()
    fillBlacklist(environment, in: &kernel)
    if !environment.returnBlacklist.isEmpty {
      steps.append(.returnBlacklist)
      lookUpReturnBlacklist(environment, kernel.text)
      kernel.returnBlacklist = returnBlacklist.map(\.address).filter { $0 != 0 }
    }
    steps.append(.defaults)
    kernel.areAllDisarmed = false
    kernel.allowsOptimization = true

    steps.append(.architecture)
    guard !environment.failing.contains(.architecture) else { return }
    steps.append(.dieNotifier)
    guard !environment.failing.contains(.dieNotifier) else { return }
    dieChain.register("kprobes", priority: .max)
    steps.append(.moduleNotifier)
    guard !environment.failing.contains(.moduleNotifier) else { return }
    moduleChain.register("kprobes", priority: 0)
    isInitialized = true
    switch kernel.rules.bootStage {
    case .drivers: steps.append(.selfTest)
    case .early: break
    }
  }

  /// Kernel: kernel/kprobes.c populate_kprobe_blacklist()
  private mutating func fillBlacklist(
    _ environment: Environment, in kernel: inout KprobeKernel
  ) {
    kernel.blacklist = KprobeBlacklist()
    // Functions that cannot be found are passed over; only sections must be whole.
    for address in environment.annotated {
      _ = try? kernel.blacklist.add(functionAt: address, in: kernel.text)
    }
    switch kernel.rules.blacklist {
    case .byName, .annotated: kernel.blacklist.probeText = environment.probeText
    case .areas, .areasOfModules:
      do {
        try kernel.blacklist.add(area: environment.probeText, in: kernel.text)
        for area in environment.areas { try kernel.blacklist.add(area: area, in: kernel.text) }
      } catch {
        complaints.append(.blacklist(error))
      }
    }
  }

  private mutating func lookUpReturnBlacklist(_ environment: Environment, _ text: KernelText) {
    for name in environment.returnBlacklist {
      let address = text.symbol(named: name)?.address ?? 0
      if address == 0 { complaints.append(.noFunction(name)) }
      returnBlacklist.append(ReturnBlacklistEntry(name: name, address: address))
    }
  }
}

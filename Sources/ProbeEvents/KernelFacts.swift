/// What is known about the kernel a tape was recorded on.
///
/// Rules read facts, never the release: distributions backport. The release only supplies defaults
/// for facts that could not be observed.
public struct KernelFacts: Sendable, Hashable {
  /// Architecture of the kernel.
  public var architecture: Architecture
  /// `uname -r`.
  public var release: String
  /// `uname -v`.
  public var version: String
  /// Named observations, sorted by name.
  public private(set) var facts: [KernelFact]

  /// Facts about a kernel.
  public init(
    architecture: Architecture, release: String, version: String = "", facts: [KernelFact] = []
  ) {
    self.architecture = architecture
    self.release = release
    self.version = version
    self.facts = []
    for fact in facts { set(fact) }
  }

  /// The fact with the given name, if known.
  public subscript(name: KernelFact.Name) -> KernelFact? {
    facts.first { $0.name == name.rawValue }
  }

  /// Adds a fact, or replaces the one of the same name.
  public mutating func set(_ fact: KernelFact) {
    facts.removeAll { $0.name == fact.name }
    facts.append(fact)
    facts.sort { $0.name < $1.name }
  }
}

/// One named observation about a kernel.
public struct KernelFact: Sendable, Hashable {
  /// The names that this version knows. A tape may carry others, which are kept and shown.
  public enum Name: String, Sendable, CaseIterable {
    /// How the return trampoline enters the kernel: `breakpoint` or `syscall` (x86-64, 6.11).
    case returnTrampoline = "return-trampoline"
    /// Size of a page in bytes.
    case pageSize = "page-size"
    /// Number of online CPUs.
    case cpus = "cpus"
    /// Kernel lockdown: `none`, `integrity` or `confidentiality`.
    case lockdown = "lockdown"
    /// Entry sites rewritten to calls after the first hit: `nop5` (6.18), `nop10` (7.2), `none`.
    case optimizedSites = "optimized-sites"
    /// `si_code` of the signal for a trampoline hit without return instance.
    case noInstanceSignalCode = "no-instance-signal-code"
    /// What the tape lacks as a whole, see ``EvidenceLimit``.
    case evidence = "evidence"
  }

  /// Stable name, lower case with hyphens.
  public var name: String
  /// The value, as text.
  public var value: String
  /// Where the value comes from: true when seen on the recording host.
  public var isObserved: Bool

  /// A fact under a known name.
  public init(_ name: Name, _ value: String, isObserved: Bool = true) {
    self.init(name: name.rawValue, value: value, isObserved: isObserved)
  }

  /// A fact under any name, as a tape carries it.
  public init(name: String, value: String, isObserved: Bool) {
    self.name = name
    self.value = value
    self.isObserved = isObserved
  }
}

/// All uprobes of a kernel, and the address spaces it has put breakpoints in: the state that
/// registration, mapping, hits and steps work on.
///
/// A value without clock, memory or I/O. What would fail for reasons of its own in a kernel
/// (allocations, pages) fails when the value says so.
///
/// Kernel: kernel/events/uprobes.c uprobes_tree
public struct Uprobes: Sendable {
  /// The rules of the kernel.
  public let rules: UprobeRules
  /// The files probes are placed in.
  public var files: [ProbedFile]
  /// The address spaces, by number.
  public internal(set) var spaces: [AddressSpace] = []
  /// The probes that are not freed yet, oldest first.
  public internal(set) var probes: [Uprobe] = []
  /// Reference counters to count up when they are mapped.
  public internal(set) var delayedCounters: [DelayedCounter] = []
  /// How many allocations succeed from now on; nil for all.
  public var allocationsLeft: Int?
  /// What the kernel log would say, in order.
  public internal(set) var warnings: [Warning] = []

  var lastProbe: UInt64 = 0
  var lastConsumer: UInt64 = 0

  /// What the kernel log would say.
  public enum Warning: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// A probe was asked for with another reference counter.
    case conflictingReferenceCounter
    /// A reference counter would have become negative.
    case negativeReferenceCounter
    /// A consumer that is not registered was to be unregistered.
    case unknownConsumer
    /// A breakpoint could not be removed, so the probe stays for good.
    case leakedProbe
    /// An entry handler returned a number without meaning.
    case badHandlerResult
    /// A tail call whose caller has no return instance.
    case tailCall
    /// The return trampoline was reached without a return instance.
    case noReturnInstance
    /// A step ended without having begun.
    case unexpectedStep
  }

  /// A kernel without probes.
  public init(rules: UprobeRules, files: [ProbedFile] = []) {
    self.rules = rules
    self.files = files
  }

  /// Takes one allocation; false when it fails.
  mutating func allocate() -> Bool {
    guard let left = allocationsLeft else { return true }
    guard left > 0 else { return false }
    allocationsLeft = left - 1
    return true
  }

  /// The place of a probe in ``probes``; nil when it was freed.
  func probeIndex(_ identity: UprobeIdentity) -> Int? {
    probes.firstIndex { $0.identity == identity }
  }

  /// The place of the probe that hits and registrations find at an offset.
  ///
  /// Kernel: kernel/events/uprobes.c find_uprobe(), find_uprobe_rcu()
  func activeIndex(inode: UInt64, offset: UInt64) -> Int? {
    probes.firstIndex { $0.isActive && $0.inode == inode && $0.offset == offset }
  }
}

public import ProbeEvents

/// A kernel with kprobes: its text, its rules, and everything it knows about probes. The state of a
/// processor that hits them is a ``KprobeProcessor``.
///
/// Read this first. Probes are made known with ``declare(_:)``, then registered; they are hit with
/// ``breakpoint(_:on:)``, and every handler is a ``KprobeOutcome/call(_:_:)`` that is answered with
/// ``handlerReturned(_:_:on:)``. Every sequence of calls has a meaning; none traps.
///
/// What it leaves out: failures to arm (only the function tracer can fail), the races between
/// processors, and the time that passes until memory is reclaimed: an entry that has been removed
/// from the table stays readable for those still in its handlers.
///
/// Kernel: kernel/kprobes.c, static data
public struct KprobeKernel: Sendable, Hashable {
  /// Its rules.
  public let rules: KprobeRules
  /// How it was built, and on what it runs.
  public var configuration: KprobeConfiguration
  /// Its text.
  public var text: KernelText
  /// All probes and where they are.
  public internal(set) var table = KprobeTable()
  /// What must not be probed.
  public internal(set) var blacklist = KprobeBlacklist()
  /// Whether all probes are switched off together (`kprobes_all_disarmed`).
  public internal(set) var areAllDisarmed = false
  /// Whether probes may be optimised (`kprobes_allow_optimization`).
  public internal(set) var allowsOptimization = true
  /// The return probes, by number.
  var returnProbes: [Kretprobe] = []
  /// Functions that must not be return-probed.
  var returnBlacklist: [Address] = []
  /// Where return-probed functions return to.
  public let returnTrampoline: Address
  /// Where copies of instructions go.
  var slots: KprobeSlots
  /// Where detours of optimised probes go.
  var detours: KprobeSlots

  /// A kernel that has booted, with an empty table.
  public init(rules: KprobeRules, text: KernelText, configuration: KprobeConfiguration) {
    self.rules = rules
    self.text = text
    self.configuration = configuration
    returnTrampoline = configuration.returnTrampoline
    slots = KprobeSlots(base: configuration.slotBase, size: 16, capacity: configuration.slotCount)
    detours = KprobeSlots(
      base: configuration.slotBase &+ 0x10_0000, size: 256, capacity: configuration.slotCount)
  }

  /// Makes a probe known, as its owner does by having one in memory.
  public mutating func declare(_ probe: Kprobe) -> KprobeID {
    table.probes.append(probe)
    return KprobeID(table.probes.count - 1)
  }

  /// Changes a probe as its owner can, by writing to it.
  public mutating func edit(_ id: KprobeID, _ change: (inout Kprobe) -> Void) {
    guard table.probes.indices.contains(id.rawValue) else { return }
    change(&table.probes[id.rawValue])
  }
}

/// How a kernel was built, and on what it runs.
public struct KprobeConfiguration: Sendable, Hashable {
  /// Whether kernel code can be preempted (CONFIG_PREEMPTION): no copy runs on into a jump then.
  public var isPreemptible = true
  /// Whether probes can be optimised (CONFIG_OPTPROBES, x86-64).
  public var canOptimize = false
  /// Whether probes can use the function tracer (CONFIG_KPROBES_ON_FTRACE).
  public var canUseFtrace = true
  /// How many processors there can be.
  public var processors = 1
  /// Where copies of instructions go. Relative operands must reach from there.
  public var slotBase: Address = 0xffff_ffff_c000_0000
  /// Where return-probed functions return to.
  public var returnTrampoline: Address = 0xffff_ffff_8100_0f00
  /// How many copies there is memory for.
  public var slotCount = 4096

  /// A preemptible kernel on one processor.
  public init() {}
}

/// Memory for copies of instructions, all of one size.
///
/// Kernel: kernel/kprobes.c __get_insn_slot(), __free_insn_slot()
struct KprobeSlots: Sendable, Hashable {
  let base: Address
  let size: UInt64
  let capacity: Int
  private var isUsed: [Bool] = []

  init(base: Address, size: UInt64, capacity: Int) {
    self.base = base
    self.size = size
    self.capacity = capacity
  }

  /// How many are taken.
  var count: Int { isUsed.count { $0 } }

  /// The lowest free one; nil when there is none.
  mutating func take() -> Address? {
    if let free = isUsed.firstIndex(of: false) {
      isUsed[free] = true
      return base &+ UInt64(free) &* size
    }
    guard isUsed.count < capacity else { return nil }
    isUsed.append(true)
    return base &+ UInt64(isUsed.count - 1) &* size
  }

  /// Gives one back; one that is not taken is left alone.
  mutating func release(_ slot: Address?) {
    guard let slot else { return }
    let index = (slot &- base) / size
    guard index < UInt64(isUsed.count) else { return }
    isUsed[Int(index)] = false
  }
}

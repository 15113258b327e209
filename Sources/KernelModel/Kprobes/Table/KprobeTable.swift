public import ProbeEvents

/// All probes an owner has made known, and the entries under which the registered ones are found.
///
/// The kernel's table is hashed by address; which bucket an entry is in shows nowhere.
///
/// Kernel: kernel/kprobes.c kprobe_table
public struct KprobeTable: Sendable, Hashable {
  /// The probes, by number.
  var probes: [Kprobe] = []
  /// The entries, by number. Those removed from the table stay, for handlers that still run.
  var entries: [KprobeEntry] = []

  /// A probe; nil for a name from another table.
  public subscript(id: KprobeID) -> Kprobe? {
    probes.indices.contains(id.rawValue) ? probes[id.rawValue] : nil
  }

  /// An entry; nil for a name from another table.
  public subscript(id: KprobeEntryID) -> KprobeEntry? {
    entries.indices.contains(id.rawValue) ? entries[id.rawValue] : nil
  }

  /// The entries in the table, in the order in which they came.
  public var listed: [KprobeEntryID] {
    entries.indices.filter { entries[$0].isListed }.map { KprobeEntryID($0) }
  }

  /// What is registered at an address: a probe alone, or an aggregate of several.
  ///
  /// Kernel: kernel/kprobes.c get_kprobe()
  public func lookUp(_ address: Address) -> KprobeEntryID? {
    entries.firstIndex { $0.isListed && $0.address == address }.map { KprobeEntryID($0) }
  }

  /// The entry a probe is registered under; nil if it is not registered.
  ///
  /// Kernel: kernel/kprobes.c __get_valid_kprobe()
  public func validEntry(of id: KprobeID) -> KprobeEntryID? {
    guard let address = self[id]?.address, let entry = lookUp(address) else { return nil }
    return entries[entry.rawValue].members.contains(id) ? entry : nil
  }

  /// The flags of an entry: the aggregate's own, or those of the probe that is alone.
  public func flags(of id: KprobeEntryID) -> KprobeFlags {
    guard let entry = self[id] else { return [] }
    if entry.isAggregate { return entry.flags }
    return entry.members.first.flatMap { self[$0]?.flags } ?? []
  }

  /// Whether the entry has a post-handler to call.
  func hasPostHandler(_ id: KprobeEntryID) -> Bool {
    guard let entry = self[id] else { return false }
    if entry.isAggregate { return entry.hasPostHandler }
    return entry.members.first.flatMap { self[$0]?.handlers.contains(.post) } ?? false
  }

  /// Changes the flags of an entry, where they are kept.
  mutating func updateFlags(of id: KprobeEntryID, _ change: (inout KprobeFlags) -> Void) {
    guard let entry = self[id] else { return }
    if entry.isAggregate {
      change(&entries[id.rawValue].flags)
    } else if let alone = entry.members.first {
      change(&probes[alone.rawValue].flags)
    }
  }

  /// Counts a hit without handlers: for every member, also disabled ones.
  ///
  /// Kernel: kernel/kprobes.c kprobes_inc_nmissed_count()
  mutating func countMissed(_ id: KprobeEntryID) {
    guard let entry = self[id] else { return }
    for member in entry.members { probes[member.rawValue].missed &+= 1 }
  }
}

/// Names an entry of a ``KprobeTable``.
public struct KprobeEntryID: Sendable, Hashable, BitwiseCopyable {
  /// Its number.
  public let rawValue: Int

  init(_ rawValue: Int) { self.rawValue = rawValue }
}

/// What is registered at one address.
///
/// Kernel: the `struct kprobe` in the table: a probe, or the manager of several
public struct KprobeEntry: Sendable, Hashable {
  /// The address.
  public let address: Address
  /// The probes, newest first. Those with a break handler are last.
  public internal(set) var members: [KprobeID]
  /// Whether a manager stands for the probes. One is made for the second probe, and for a probe
  /// that can be optimised; it stays until its last probe is gone.
  public internal(set) var isAggregate = false
  /// The manager's flags.
  var flags: KprobeFlags = []
  /// Whether the manager has a post-handler: whether any member that came alive has one.
  public internal(set) var hasPostHandler = false
  /// The instruction.
  public internal(set) var instruction: PreparedInstruction
  /// Whether it is found by its address.
  public internal(set) var isListed = true
  /// Whether the breakpoint, the jump or the function tracer's hook is in place.
  public internal(set) var isArmed = false
  /// How far it is with being replaced by a jump.
  public internal(set) var optimization = Optimization.impossible
  /// How many bytes the jump would take the place of.
  var jumpLength: UInt64 = 0

  /// How far a probe is with being replaced by a jump.
  public enum Optimization: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// It cannot be.
    case impossible
    /// There is a detour, but it is not used.
    case prepared
    /// Waiting for the optimiser to put the jump in.
    case queued
    /// The jump is in place.
    case done
    /// Waiting for the optimiser to take the jump out.
    case unqueued
    /// The jump was taken out in a hurry; the optimiser has to tidy up.
    case leaving
  }

  init(address: Address, alone: KprobeID, instruction: PreparedInstruction) {
    self.address = address
    self.instruction = instruction
    members = [alone]
  }
}

import ProbeEvents

/// What each perf event is for, by the identifier that its samples carry.
///
/// Samples of inherited events carry the identifier of the event that was opened.
struct EventTable {
  /// What an event's samples mean.
  enum Role: Hashable {
    case hit(probe: UInt32, kind: HitKind, functionOffset: Int, hasCallchain: Bool = false)
    case sideBand
    case signal
    case newTask
    case witness
  }

  /// An opened event.
  struct Entry: Hashable {
    var role: Role
    /// The thread it was opened for.
    var owner: Int32
  }

  /// Identifiers come from a counter of the kernel, so those of one recording lie close together.
  private static let densityLimit: UInt64 = 1 << 22

  /// Whether there are events that read the kernel's lists.
  private(set) var hasWitness = false

  private var base: UInt64 = 0
  private var dense: [Entry?] = []
  private var sparse: [UInt64: Entry] = [:]

  /// Adds an opened event.
  mutating func add(_ identifier: UInt64, _ entry: Entry) {
    if entry.role == .witness { hasWitness = true }
    if dense.isEmpty { base = identifier }
    guard identifier >= base, identifier - base < Self.densityLimit else {
      sparse[identifier] = entry
      return
    }
    let index = Int(identifier - base)
    while dense.count <= index { dense.append(nil) }
    dense[index] = entry
  }

  /// The event with an identifier; nil for one that is not ours.
  subscript(identifier: UInt64) -> Entry? {
    let (index, isBelow) = identifier.subtractingReportingOverflow(base)
    if !isBelow, index < UInt64(dense.count) { return dense[Int(index)] }
    return sparse[identifier]
  }
}

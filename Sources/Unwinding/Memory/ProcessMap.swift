import ProbeEvents

/// The executable mappings of one address space, by address.
///
/// A value of its own number: whoever keeps results for an address space keeps them by
/// ``ProcessMaps/number(of:)``, which changes with the mappings.
struct ProcessMap {
  /// One mapping.
  struct Area {
    let start: Address
    let end: Address
    let fileOffset: UInt64
    let file: StackFile

    var isTrampoline: Bool { file.path == Mapping.uprobesName }
  }

  /// Mappings kept of one process; a tape that names more is not believed about the rest.
  static let areaLimit = 1 << 16

  /// Ascending and apart.
  private(set) var areas: [Area] = []
  /// Start of `[uprobes]`; 0 while there is none.
  private(set) var trampoline: Address = 0

  /// Adds a mapping, in the place of what was there.
  mutating func add(_ mapping: Mapping) {
    let end = mapping.start.addingReportingOverflow(mapping.length)
    guard !end.overflow, mapping.length > 0, areas.count < Self.areaLimit else { return }
    // Parts of older mappings that stick out would need both ends; the kernel reports those again
    // when they matter, so they go as a whole.
    areas.removeAll { $0.start < end.partialValue && mapping.start < $0.end }
    let area = Area(
      start: mapping.start, end: end.partialValue, fileOffset: mapping.fileOffset,
      file: StackFile(path: mapping.path, buildID: mapping.buildID))
    areas.insert(area, at: place(after: area.start))
    if area.isTrampoline { trampoline = area.start }
  }

  /// The mapping that holds an address.
  func area(at address: Address) -> Area? { place(of: address).map { areas[$0] } }

  /// The place of the mapping that holds an address.
  func place(of address: Address) -> Int? {
    let place = place(after: address) - 1
    return place >= 0 && address < areas[place].end ? place : nil
  }

  /// The first place whose mapping starts behind an address.
  private func place(after address: Address) -> Int {
    var low = 0
    var high = areas.count
    while low < high {
      let middle = (low + high) / 2
      if areas[middle].start <= address { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// The mappings of all processes of a tape, as its side events tell.
struct ProcessMaps {
  private struct Entry {
    var map = ProcessMap()
    var number: UInt32
  }

  private var entries: [Int32: Entry] = [:]
  private var nextNumber: UInt32 = 1

  /// Follows mappings, forks, new programs and ends.
  mutating func note(_ event: SideEvent) {
    switch event {
    case .mapping(let mapping):
      entries[mapping.process, default: Entry(number: 0)].map.add(mapping)
      renumber(mapping.process)
    case .fork(let fork) where fork.child.process != fork.parent.process:
      // The same mappings, so the same number.
      entries[fork.child.process] = entries[fork.parent.process]
    case .exec(let thread, _):
      entries[thread.process] = Entry(number: 0)
      renumber(thread.process)
    case .exit(let thread) where thread.process == thread.thread:
      // Its other threads may still run; a new process of the number starts with a fork.
      break
    case .fork, .threadName, .exit, .signal, .lost, .attached, .witness: break
    }
  }

  /// The mappings of a process.
  func map(of process: Int32) -> ProcessMap { entries[process]?.map ?? ProcessMap() }

  /// Start of a process's `[uprobes]`; 0 while there is none.
  func trampoline(of process: Int32) -> Address { entries[process]?.map.trampoline ?? 0 }

  /// The number of the state of a process's mappings; 0 where none are known.
  func number(of process: Int32) -> UInt32 { entries[process]?.number ?? 0 }

  private mutating func renumber(_ process: Int32) {
    entries[process]?.number = nextNumber
    nextNumber &+= 1
  }
}

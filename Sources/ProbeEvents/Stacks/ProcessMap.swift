/// The executable mappings of one address space, by address.
///
/// A value of its own number: whoever keeps results for an address space keeps them by
/// ``ProcessMapTable/number(of:)``, which changes with the mappings.
package struct ProcessMap: Sendable {
  /// One mapping.
  package struct Area: Sendable {
    package let start: Address
    package let end: Address
    package let fileOffset: UInt64
    package let file: StackFile

    package var isTrampoline: Bool { file.path == Mapping.uprobesName }
  }

  /// Mappings kept of one process; a tape that names more is not believed about the rest.
  package static let areaLimit = 1 << 16

  /// Ascending and apart.
  package private(set) var areas: [Area] = []
  /// Start of `[uprobes]`; 0 while there is none.
  package private(set) var trampoline: Address = 0

  /// No mappings.
  package init() {}

  /// Adds a mapping, in the place of what was there.
  package mutating func add(_ mapping: Mapping) {
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
  package func area(at address: Address) -> Area? { place(of: address).map { areas[$0] } }

  /// The place of the mapping that holds an address.
  package func place(of address: Address) -> Int? {
    let place = place(after: address) - 1
    return place >= 0 && address < areas[place].end ? place : nil
  }

  /// Where a place in a file is mapped; nil when no mapping has it.
  package func address(of file: StackFile, offset: UInt64) -> Address? {
    let area = areas.first {
      $0.file == file && offset >= $0.fileOffset && offset - $0.fileOffset < $0.end - $0.start
    }
    return area.map { $0.start + (offset - $0.fileOffset) }
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
package struct ProcessMapTable: Sendable {
  private struct Entry: Sendable {
    var map = ProcessMap()
    var number: UInt32
  }

  private var entries: [Int32: Entry] = [:]
  private var nextNumber: UInt32 = 1

  /// No processes.
  package init() {}

  /// Follows mappings, forks, new programs and ends.
  package mutating func note(_ event: SideEvent) {
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
  package func map(of process: Int32) -> ProcessMap { entries[process]?.map ?? ProcessMap() }

  /// Start of a process's `[uprobes]`; 0 while there is none.
  package func trampoline(of process: Int32) -> Address { entries[process]?.map.trampoline ?? 0 }

  /// The number of the state of a process's mappings; 0 where none are known.
  package func number(of process: Int32) -> UInt32 { entries[process]?.number ?? 0 }

  private mutating func renumber(_ process: Int32) {
    entries[process]?.number = nextNumber
    nextNumber &+= 1
  }
}

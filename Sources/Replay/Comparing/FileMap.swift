import ProbeEvents

/// The mapped files of one process, for addresses.
struct FileMap {
  private struct Area {
    var start: Address, length: UInt64, fileOffset: UInt64
    /// Nil for the page of the return trampoline.
    var file: Int?
  }

  private var areas: [Area] = []

  mutating func add(_ mapping: Mapping, _ names: inout ComparedNames) {
    areas.removeAll {
      mapping.start < $0.start &+ $0.length && $0.start < mapping.start &+ mapping.length
    }
    let file = mapping.path == Mapping.uprobesName ? nil : names.number(of: mapping)
    areas.append(
      Area(
        start: mapping.start, length: mapping.length, fileOffset: mapping.fileOffset, file: file))
  }

  func place(of address: Address) -> NormalAddress? {
    for area in areas where address >= area.start && address - area.start < area.length {
      let offset = address - area.start
      guard let file = area.file else { return .trampoline(offset: offset) }
      return .mapped(file: file, offset: offset &+ area.fileOffset)
    }
    return nil
  }
}

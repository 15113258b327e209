package import ProbeEvents

/// Makes stacks of the addresses that tasks were at and will return to, each once.
package struct AddressStacks: Sendable {
  private struct Key: Hashable {
    var mappings: UInt32
    var ending: StackEnding
    var addresses: [Address]
  }

  /// The stacks.
  package private(set) var table = StackTable()

  private var known: [Key: StackReference] = [:]
  private var knownAddresses = 0

  /// Addresses in the stacks that are found at once; beyond that, all are forgotten.
  private static let knownAddressesMax = 1 << 20
  /// Frames after which the stacks begin anew.
  private static let framesKept = 1 << 20

  /// No stacks.
  package init() {}

  /// Forgets all stacks when there are many: what ``table`` held must no longer be referred to.
  package mutating func beginAnewIfLarge() {
    guard table.nodes.count > Self.framesKept else { return }
    table.removeAll()
    forgetKnown()
  }

  /// The reference of a stack, innermost address first; only that one is exact. What no longer fits is
  /// left out at the inner end.
  package mutating func reference(
    _ addresses: [Address], _ ending: StackEnding, of process: Int32, in maps: ProcessMapTable
  ) -> StackReference {
    let key = Key(mappings: maps.number(of: process), ending: ending, addresses: addresses)
    if let found = known[key] { return found }
    let map = maps.map(of: process)
    let frames = addresses.enumerated().map { place, address in
      frame(at: address, isExact: place == 0, map)
    }
    let stack = table.reference(of: frames, ending)
    knownAddresses += addresses.count
    if knownAddresses > Self.knownAddressesMax { forgetKnown() }
    known[key] = stack
    return stack
  }

  private mutating func frame(at address: Address, isExact: Bool, _ map: ProcessMap) -> StackFrame {
    guard let area = map.area(at: address), area.file.isStorable else {
      return StackFrame(file: StackFrame.noFile, offset: address, isExact: isExact)
    }
    return StackFrame(
      file: table.place(of: area.file), offset: address - area.start &+ area.fileOffset,
      isExact: isExact)
  }

  private mutating func forgetKnown() {
    known.removeAll(keepingCapacity: true)
    knownAddresses = 0
  }
}

import ProbeEvents

/// The stacks of the block being written, in a table of the block's own.
struct BlockStacks {
  private(set) var references: [StackReference] = []
  private(set) var table = StackTable()
  /// Places in the table by place in the table that the stacks come from.
  private var known: [StackReference: StackReference] = [:]
  private var source: UInt64 = 0

  /// Whether no hit has a stack.
  var isEmpty: Bool { table.nodes.isEmpty }
  /// Whether one more stack may not fit, which has up to 1024 frames.
  var isFull: Bool {
    table.nodes.count > TapeLimits.stackFramesPerBlock / 2
      || table.files.count > TapeLimits.stackFilesPerBlock / 2
  }

  /// Notes the stack of a hit, 0 for none. Hits before it that have none need not be noted.
  mutating func set(_ stack: StackReference, of other: borrowing StackTable, hit: Int) {
    pad(to: hit)
    guard stack > 0 else { return references.append(0) }
    if source != other.identity {
      source = other.identity
      known.removeAll(keepingCapacity: true)
    }
    if let place = known[stack] { return references.append(place) }
    let place = table.reference(of: stack, in: other)
    known[stack] = place
    references.append(place)
  }

  /// Fills up with hits without stack.
  mutating func pad(to count: Int) {
    while references.count < count { references.append(0) }
  }

  mutating func removeAll() {
    guard !references.isEmpty else { return }
    references.removeAll(keepingCapacity: true)
    table.removeAll()
    known.removeAll(keepingCapacity: true)
  }
}

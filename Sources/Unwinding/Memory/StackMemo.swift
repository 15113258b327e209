import ProbeEvents

/// Stacks unwound before, found by what was read to unwind them.
///
/// Unwinding reads few words: registers that frames lie relative to, and return addresses. What is
/// read next depends only on what was read so far, so the stacks of one place form a tree: each node
/// says where to look next, and the value there says which way to go. Two hits whose windows differ
/// in words that unwinding does not read have the same stack here.
struct StackMemo {
  /// Nodes kept; beyond that, all are forgotten at once. About 50 bytes each.
  static let nodeLimit = 1 << 21

  /// What to look at in a node; this for a node at the end.
  private static let isStack = UInt64.max

  private struct Edge: Equatable {
    var node: UInt32
    var isKnown: Bool
    var value: UInt64
  }

  private struct Root: Hashable {
    var space: UInt32
    var isEntry: Bool
    var instructionPointer: Address
    var stackPointer: Address
  }

  private var loci: [UInt64] = []
  /// At the end of a path, the stack.
  private var stacks: [StackReference] = []
  /// The edge that leads to each node.
  private var edges: [Edge] = []
  private var index = HashIndex()
  private var roots: [Root: UInt32] = [:]

  /// Forgets everything.
  mutating func removeAll() {
    loci.removeAll(keepingCapacity: true)
    stacks.removeAll(keepingCapacity: true)
    edges.removeAll(keepingCapacity: true)
    index.removeAll()
    roots.removeAll(keepingCapacity: true)
  }

  /// The stack of a hit that reads as one before; nil when there was none.
  func find(
    space: UInt32, isEntry: Bool, _ instructionPointer: Address, _ memory: HitMemory
  ) -> StackReference? {
    let root = Root(
      space: space, isEntry: isEntry, instructionPointer: instructionPointer,
      stackPointer: memory.stackPointer)
    guard var node = roots[root] else { return nil }
    while true {
      let locus = loci[Int(node)]
      if locus == Self.isStack { return stacks[Int(node)] }
      let read = memory.value(at: locus)
      let edge = Edge(node: node, isKnown: read.isKnown, value: read.value)
      guard let next = index.find(Self.hash(edge), { edges[Int($0)] == edge }) else { return nil }
      node = next
    }
  }

  /// Keeps a stack under what was read for it.
  mutating func insert(
    space: UInt32, isEntry: Bool, _ instructionPointer: Address, _ memory: HitMemory,
    _ stack: StackReference
  ) {
    let readings = memory.readings
    guard readings.count < HitMemory.readingLimit else { return }
    if loci.count + readings.count + 2 > Self.nodeLimit { removeAll() }
    let root = Root(
      space: space, isEntry: isEntry, instructionPointer: instructionPointer,
      stackPointer: memory.stackPointer)
    var node: UInt32
    if let known = roots[root] {
      node = known
    } else {
      node = make(Edge(node: .max, isKnown: false, value: 0))
      roots[root] = node
    }
    for reading in readings {
      if loci[Int(node)] == Self.isStack, stacks[Int(node)] == 0 { loci[Int(node)] = reading.locus }
      // Unwinding is a function of what it reads; where it is not, the older path stays.
      guard loci[Int(node)] == reading.locus else { return }
      let edge = Edge(node: node, isKnown: reading.isKnown, value: reading.value)
      if let next = index.find(Self.hash(edge), { edges[Int($0)] == edge }) {
        node = next
      } else {
        let next = make(edge)
        index.insert(next, Self.hash(edge)) { [edges] in Self.hash(edges[Int($0)]) }
        node = next
      }
    }
    if loci[Int(node)] == Self.isStack { stacks[Int(node)] = stack }
  }

  private mutating func make(_ edge: Edge) -> UInt32 {
    loci.append(Self.isStack)
    stacks.append(0)
    edges.append(edge)
    return UInt32(loci.count - 1)
  }

  private static func hash(_ edge: Edge) -> UInt64 {
    HashIndex.mix(HashIndex.mix(UInt64(edge.node) << 1 | (edge.isKnown ? 1 : 0), 0), edge.value)
  }
}

import ProbeEvents

/// Stacks unwound before, found by what was read to unwind them.
///
/// Unwinding reads few words: registers that frames lie relative to, and return addresses. What is
/// read next depends only on what was read so far, so the stacks of one place form a tree: each branch
/// says where to look next, and the value there says which way to go. Between branches lies a run of
/// readings that all stacks behind it have in common. Two hits whose windows differ in words that
/// unwinding does not read have the same stack here.
struct StackMemo {
  /// Readings and nodes kept; beyond either, all are forgotten at once. 24 and about 60 bytes each.
  private let readingLimit: Int
  private let nodeLimit: Int

  private struct Node: BitwiseCopyable {
    /// The run, by place in `readings`.
    var first: Int
    var end: Int
    /// Where to look next; not used at the end of a path.
    var branch: UInt64
    /// What the ways from here are found under.
    var identity: UInt32
    /// At the end of a path, the stack.
    var stack: StackReference
    var isEnd: Bool
  }

  fileprivate struct Edge: Equatable, BitwiseCopyable {
    var from: UInt32
    var isKnown: Bool
    var value: UInt64
  }

  private struct Root: Equatable, BitwiseCopyable {
    var space: UInt32
    var isEntry: Bool
    var instructionPointer: Address
    var stackPointer: Address
    var node: UInt32
  }

  private var readings: [HitMemory.Reading] = []
  private var nodes: [Node] = []
  /// The edge that leads to each node; none leads to a root.
  private var edges: [Edge] = []
  private var index = HashIndex()
  private var roots: [Root] = []
  private var rootIndex = HashIndex()

  /// Nothing yet.
  init(readingLimit: Int = 1 << 20, nodeLimit: Int = 1 << 18) {
    self.readingLimit = readingLimit
    self.nodeLimit = nodeLimit
  }

  /// How much is kept.
  var count: (readings: Int, nodes: Int) { (readings.count, nodes.count) }

  /// Forgets everything.
  mutating func removeAll() {
    readings.removeAll(keepingCapacity: true)
    nodes.removeAll(keepingCapacity: true)
    edges.removeAll(keepingCapacity: true)
    index.removeAll()
    roots.removeAll(keepingCapacity: true)
    rootIndex.removeAll()
  }

  /// The stack of a hit that reads as one before; nil when there was none.
  func find(
    space: UInt32, isEntry: Bool, _ instructionPointer: Address, _ memory: HitMemory
  ) -> StackReference? {
    guard var number = root(space: space, isEntry: isEntry, instructionPointer, memory) else {
      return nil
    }
    while true {
      let node = nodes[Int(number)]
      for place in node.first..<node.end {
        let reading = readings[place]
        let read = memory.value(at: reading.locus)
        guard read.value == reading.value, read.isKnown == reading.isKnown else { return nil }
      }
      if node.isEnd { return node.stack }
      let read = memory.value(at: node.branch)
      guard
        let next = find(Edge(from: node.identity, isKnown: read.isKnown, value: read.value))
      else { return nil }
      number = next
    }
  }

  /// Keeps a stack under what was read for it.
  mutating func insert(
    space: UInt32, isEntry: Bool, _ instructionPointer: Address, _ memory: HitMemory,
    _ stack: StackReference
  ) {
    let path = memory.readings
    guard path.count < min(HitMemory.readingLimit, readingLimit) else { return }
    if readings.count + path.count > readingLimit || nodes.count + 2 > nodeLimit {
      removeAll()
    }
    guard let root = root(space: space, isEntry: isEntry, instructionPointer, memory) else {
      roots.append(
        Root(
          space: space, isEntry: isEntry, instructionPointer: instructionPointer,
          stackPointer: memory.stackPointer, node: UInt32(nodes.count)))
      addNode(path[...], stack, Edge(from: .max, isKnown: false, value: 0))
      let hash = Self.hash(space: space, isEntry: isEntry, instructionPointer, memory.stackPointer)
      rootIndex.insert(UInt32(roots.count - 1), hash) { [roots] in Self.hash(roots[Int($0)]) }
      return
    }
    insert(path, stack, below: root)
  }

  private mutating func insert(
    _ path: [HitMemory.Reading], _ stack: StackReference, below root: UInt32
  ) {
    var number = root
    var next = 0
    // Unwinding is a function of what it reads; wherever it is not, the older path stays.
    while true {
      let node = nodes[Int(number)]
      for place in node.first..<node.end {
        guard next < path.count, path[next].locus == readings[place].locus else { return }
        guard path[next] == readings[place] else {
          split(number, at: place)
          addWay(from: number, path[next...], stack)
          return
        }
        next += 1
      }
      guard !node.isEnd, next < path.count, path[next].locus == node.branch else { return }
      guard let known = find(Edge(from: node.identity, path[next])) else {
        addWay(from: number, path[next...], stack)
        return
      }
      number = known
      next += 1
    }
  }

  /// Makes a branch of a reading within a node's run, with one way: what was behind it so far.
  private mutating func split(_ number: UInt32, at place: Int) {
    var rest = nodes[Int(number)]
    rest.first = place + 1
    nodes[Int(number)].end = place
    nodes[Int(number)].isEnd = false
    nodes[Int(number)].branch = readings[place].locus
    // The ways behind stay those of the rest.
    nodes[Int(number)].identity = UInt32(nodes.count)
    add(rest, Edge(from: UInt32(nodes.count), readings[place]))
  }

  /// Adds a way to a branch: the value there, and a run behind it.
  private mutating func addWay(
    from number: UInt32, _ path: ArraySlice<HitMemory.Reading>, _ stack: StackReference
  ) {
    guard let value = path.first else { return }
    addNode(path.dropFirst(), stack, Edge(from: nodes[Int(number)].identity, value))
  }

  private mutating func addNode(
    _ run: ArraySlice<HitMemory.Reading>, _ stack: StackReference, _ edge: Edge
  ) {
    let first = readings.count
    readings += run
    add(
      Node(
        first: first, end: readings.count, branch: 0, identity: UInt32(nodes.count), stack: stack,
        isEnd: true), edge)
  }

  private mutating func add(_ node: Node, _ edge: Edge) {
    nodes.append(node)
    edges.append(edge)
    guard edge.from != .max else { return }
    index.insert(UInt32(nodes.count - 1), Self.hash(edge)) { [edges] in Self.hash(edges[Int($0)]) }
  }

  private func find(_ edge: Edge) -> UInt32? {
    index.find(Self.hash(edge)) { edges[Int($0)] == edge }
  }

  private func root(
    space: UInt32, isEntry: Bool, _ instructionPointer: Address, _ memory: HitMemory
  ) -> UInt32? {
    let stackPointer = memory.stackPointer
    let hash = Self.hash(space: space, isEntry: isEntry, instructionPointer, stackPointer)
    let found = rootIndex.find(hash) {
      let root = roots[Int($0)]
      return root.instructionPointer == instructionPointer && root.stackPointer == stackPointer
        && root.space == space && root.isEntry == isEntry
    }
    return found.map { roots[Int($0)].node }
  }

  private static func hash(_ root: Root) -> UInt64 {
    hash(
      space: root.space, isEntry: root.isEntry, root.instructionPointer, root.stackPointer)
  }

  private static func hash(
    space: UInt32, isEntry: Bool, _ instructionPointer: Address, _ stackPointer: Address
  ) -> UInt64 {
    let place = HashIndex.mix(UInt64(space) << 1 | (isEntry ? 1 : 0), instructionPointer)
    return HashIndex.mix(place, stackPointer)
  }

  private static func hash(_ edge: Edge) -> UInt64 {
    HashIndex.mix(HashIndex.mix(UInt64(edge.from) << 1 | (edge.isKnown ? 1 : 0), 0), edge.value)
  }
}

extension StackMemo.Edge {
  fileprivate init(from: UInt32, _ reading: HitMemory.Reading) {
    self.init(from: from, isKnown: reading.isKnown, value: reading.value)
  }
}

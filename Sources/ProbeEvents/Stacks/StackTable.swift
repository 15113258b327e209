import Synchronization

/// Which stack of a ``StackTable`` a hit has; 0 is none.
public typealias StackReference = UInt32

/// Stacks as a tree: each frame stands once below the frame that called it, so that stacks share
/// what they have in common at the outer end.
///
/// A stack is named by its innermost frame.
public struct StackTable: Sendable {
  /// Frames that a table holds at most.
  public static let nodeLimit = 1 << 22

  /// One frame below its caller.
  public struct Node: Sendable, Hashable, BitwiseCopyable {
    /// The calling frame; 0 for an outermost one.
    public var caller: StackReference
    /// Why an outermost frame has no caller.
    public var ending: StackEnding
    /// The frame itself.
    public var frame: StackFrame

    /// A frame below its caller.
    public init(caller: StackReference, ending: StackEnding, frame: StackFrame) {
      self.caller = caller
      self.ending = ending
      self.frame = frame
    }
  }

  /// Differs between tables that do not mean the same by the same reference. A copy means the same
  /// as long as only one of the two grows.
  public private(set) var identity = StackTable.nextIdentity()

  /// The files that the frames lie in.
  public private(set) var files: [StackFile] = []
  /// All frames. The one of reference `n` is at `n - 1`; callers come before those they called.
  public private(set) var nodes: [Node] = []
  private var placeOfFile: [StackFile: UInt32] = [:]
  /// The first frame that was added below each, 0 for none; at place 0 the first outermost one. Most
  /// frames have no other, so that a stack never seen before is added without looking anything up.
  private var firstChildren: [StackReference] = []
  /// All frames that are not first ones.
  private var index = HashIndex()

  /// No stacks.
  public init() {}

  /// A table with files and frames as they come from a tape; nil when a frame names a file or a caller
  /// that is not before it.
  public init?(files: [StackFile], nodes: [Node]) {
    guard nodes.count <= Self.nodeLimit else { return nil }
    for (place, node) in nodes.enumerated() {
      guard Int(node.caller) <= place,
        node.frame.file == StackFrame.noFile || Int(node.frame.file) < files.count
      else { return nil }
    }
    self.files = files
    self.nodes = nodes
  }

  private static let identities = Atomic<UInt64>(0)

  private static func nextIdentity() -> UInt64 {
    identities.add(1, ordering: .relaxed).newValue
  }

  /// Whether no further frame may be added.
  public var isFull: Bool { nodes.count >= Self.nodeLimit }

  /// Forgets everything and keeps the memory.
  public mutating func removeAll() {
    files.removeAll(keepingCapacity: true)
    nodes.removeAll(keepingCapacity: true)
    placeOfFile.removeAll(keepingCapacity: true)
    firstChildren.removeAll(keepingCapacity: true)
    index.removeAll()
    identity = Self.nextIdentity()
  }

  /// The place of a file, new if need be.
  public mutating func place(of file: StackFile) -> UInt32 {
    if let known = placeOfFile[file] { return known }
    let place = UInt32(files.count)
    files.append(file)
    placeOfFile[file] = place
    return place
  }

  /// The reference of a frame below its caller, new if need be.
  ///
  /// - Precondition: the caller and the file are in the table, and it is not full.
  public mutating func reference(of node: Node) -> StackReference {
    // None are known of a table that came from a tape.
    while firstChildren.count <= nodes.count { firstChildren.append(0) }
    precondition(Int(node.caller) <= nodes.count && nodes.count < Self.nodeLimit)
    let first = firstChildren[Int(node.caller)]
    if first == 0 {
      firstChildren[Int(node.caller)] = add(node)
      return StackReference(nodes.count)
    }
    if nodes[Int(first) - 1] == node { return first }
    let hash = Self.hash(of: node)
    if let known = index.find(hash, { nodes[Int($0)] == node }) { return known + 1 }
    let reference = add(node)
    index.insert(reference - 1, hash) { [nodes] in Self.hash(of: nodes[Int($0)]) }
    return reference
  }

  private mutating func add(_ node: Node) -> StackReference {
    precondition(node.frame.file == StackFrame.noFile || Int(node.frame.file) < files.count)
    nodes.append(node)
    firstChildren.append(0)
    return StackReference(nodes.count)
  }

  private static func hash(of node: Node) -> UInt64 {
    let frame = node.frame
    let low = UInt64(node.caller) << 32 | UInt64(frame.file) << 1 | (frame.isExact ? 1 : 0)
    return HashIndex.mix(HashIndex.mix(low, frame.offset), UInt64(node.ending.rawValue))
  }

  /// The reference of a stack, innermost frame first; 0 for one without frames. What no longer fits is
  /// left out at the inner end.
  public mutating func reference(
    of frames: some BidirectionalCollection<StackFrame>, _ ending: StackEnding
  ) -> StackReference {
    var caller: StackReference = 0
    for frame in frames.reversed() where !isFull {
      caller = reference(
        of: Node(caller: caller, ending: caller == 0 ? ending : .complete, frame: frame))
    }
    return caller
  }

  /// The reference of a stack of another table, with its frames and files new if need be.
  public mutating func reference(
    of stack: StackReference, in other: borrowing StackTable
  ) -> StackReference {
    var path: [Int] = []
    var next = stack
    while next > 0 {
      path.append(Int(next) - 1)
      next = other.nodes[Int(next) - 1].caller
    }
    var caller: StackReference = 0
    // Most frames lie in the file of the one before.
    var latest = (other: StackFrame.noFile, own: StackFrame.noFile)
    for place in path.reversed() {
      var node = other.nodes[place]
      node.caller = caller
      if let file = other.file(of: node.frame) {
        if latest.other != node.frame.file { latest = (node.frame.file, self.place(of: file)) }
        node.frame.file = latest.own
      }
      caller = reference(of: node)
    }
    return caller
  }

  /// The frames of a stack, innermost first.
  public func frames(of stack: StackReference) -> [StackFrame] {
    var frames: [StackFrame] = []
    var next = stack
    while next > 0 {
      // Callers have lower numbers, so this ends.
      let node = nodes[Int(next) - 1]
      frames.append(node.frame)
      next = node.caller
    }
    return frames
  }

  /// Why the outermost frame of a stack has no caller; ``StackEnding/notUnwound`` without frames.
  public func ending(of stack: StackReference) -> StackEnding {
    guard stack > 0 else { return .notUnwound }
    var node = nodes[Int(stack) - 1]
    while node.caller > 0 { node = nodes[Int(node.caller) - 1] }
    return node.ending
  }

  /// The file of a frame; nil when its address is in none.
  public func file(of frame: StackFrame) -> StackFile? {
    frame.file == StackFrame.noFile ? nil : files[Int(frame.file)]
  }
}

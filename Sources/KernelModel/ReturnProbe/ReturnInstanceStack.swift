/// A task's pending returns, newest first.
///
/// Kernel: include/linux/uprobes.h `struct uprobe_task`, fields `return_instances` and `depth`. The
/// kernel's list is linked; here it is one flat value, so that a task can be copied and kept without
/// allocation. Two invariants hold under every rule: `count <= depth <= capacity`, and the oldest
/// instance is never chained.
public struct ReturnInstanceStack: Sendable, BitwiseCopyable {
  /// The depth from which on entries get no return instance (`MAX_URETPROBE_DEPTH`, 64 in every
  /// version).
  public static let capacity = 64

  /// Instances from oldest to newest; those from ``count`` on are leftovers without meaning.
  @usableFromInline var storage: InlineArray<64, ReturnInstance>
  // Both are changed with wrap-around, for speed: the invariants above keep them within the capacity.
  @usableFromInline var listed = 0
  @usableFromInline var counted = 0

  /// How many instances are listed.
  @inlinable public var count: Int { listed }
  /// The depth as the kernel counts it. It is more than ``count`` only under
  /// ``ReturnProbeRules/DepthAccounting/leaksUnlessChained``.
  @inlinable public var depth: Int { counted }

  /// An empty list.
  public init() {
    storage = InlineArray(
      repeating: ReturnInstance(
        function: 0, stackPointer: 0, originalReturnAddress: 0, isChained: false, entry: 0))
  }

  /// Whether no instance is listed.
  @inlinable public var isEmpty: Bool { listed == 0 }

  /// The instance at a distance from the head: 0 is the newest, `count - 1` the oldest.
  ///
  /// Inlinable for the same reason as ``newestChainLength()`` is mutating: called across a module
  /// boundary it would copy the storage.
  @inlinable public subscript(index: Int) -> ReturnInstance {
    @inline(__always) get {
      precondition(index >= 0 && index < listed, "no such return instance")
      return storage[listed &- 1 &- index]
    }
  }

  /// How many instances the newest chain has: from the head down to the first that is not chained.
  ///
  /// Mutating although it changes nothing: the compiler would copy the whole storage to index a value
  /// it may only read, which costs far more than the walk.
  ///
  /// Kernel: kernel/events/uprobes.c find_next_ret_chain()
  @inlinable @inline(__always)
  mutating func newestChainLength() -> Int {
    var length = 1
    while length < listed && storage[listed &- length].isChained { length &+= 1 }
    return length
  }

  /// Puts an instance at the head.
  @inlinable @inline(__always)
  mutating func push(_ instance: ReturnInstance) {
    precondition(counted < Self.capacity, "the depth limit is tested before an instance is made")
    storage[listed] = instance
    listed &+= 1
    counted &+= 1
  }

  /// Takes the newest instance off, counting depth as the rule says.
  @inlinable @inline(__always)
  mutating func pop(_ accounting: ReturnProbeRules.DepthAccounting) -> ReturnInstance {
    let newest = self[0]
    listed &-= 1
    switch accounting {
    case .exact: counted &-= 1
    case .leaksUnlessChained: if newest.isChained { counted &-= 1 }
    }
    return newest
  }

  /// Takes all instances off and starts counting depth anew.
  mutating func removeAll() {
    listed = 0
    counted = 0
  }

  /// Counts depth anew, as a copy for a child does.
  mutating func recountDepth() {
    counted = listed
  }
}

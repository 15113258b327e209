/// What a handler did at the return trampoline, beside the instances it popped.
public enum TrampolineConclusion: Sendable, Hashable, BitwiseCopyable {
  /// The task continues at the original return address of the chain that returned.
  case returned(to: Address)
  /// There was no instance: the task gets a signal.
  case signal(Int32)
}

/// An instance that a handler took off the list at the trampoline.
public struct PoppedInstance: Sendable, Hashable, BitwiseCopyable {
  /// The number of the entry that pushed it, from ``EntryCause/entry``.
  public var entry: UInt64
  /// The probed address of the call.
  public var function: Address
  /// Where that call really returns to.
  public var originalReturnAddress: Address
  /// Whether the return handlers ran; false for a chain dropped as dead.
  public var handlersRan: Bool

  /// A popped instance.
  public init(
    entry: UInt64, function: Address, originalReturnAddress: Address, handlersRan: Bool
  ) {
    self.entry = entry
    self.function = function
    self.originalReturnAddress = originalReturnAddress
    self.handlersRan = handlersRan
  }
}

/// The instances popped by one arrival at the trampoline, in the order they were popped.
///
/// A buffer to be used again for every arrival: after the first it does not allocate.
public struct PoppedInstances: Sendable {
  /// More instances than a task can hold are never popped.
  public static let capacity = 64

  // On the heap: an inline array of this size would be copied whole to read one instance.
  @usableFromInline var storage: [PoppedInstance] = []

  /// None.
  public init() {
    storage.reserveCapacity(Self.capacity)
  }

  /// How many.
  @inlinable public var count: Int { storage.count }

  /// The popped instance at the given place in the order.
  @inlinable public subscript(index: Int) -> PoppedInstance { storage[index] }

  /// Forgets all, to use the buffer again.
  @inlinable public mutating func removeAll() {
    storage.removeAll(keepingCapacity: true)
  }

  /// Adds one.
  @inlinable public mutating func append(_ instance: PoppedInstance) {
    precondition(storage.count < Self.capacity, "more instances popped than a task can hold")
    storage.append(instance)
  }
}

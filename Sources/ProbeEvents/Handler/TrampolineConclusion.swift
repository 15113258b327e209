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
public struct PoppedInstances: Sendable, BitwiseCopyable {
  /// More instances than a task can hold are never popped.
  public static let capacity = 64

  // Inlinable down to the storage: a call across the module boundary would copy all 2 KiB of it to
  // read one instance.
  @usableFromInline var storage: InlineArray<64, PoppedInstance>
  /// How many.
  public internal(set) var count = 0

  /// None.
  public init() {
    storage = InlineArray(
      repeating: PoppedInstance(
        entry: 0, function: 0, originalReturnAddress: 0, handlersRan: false))
  }

  /// The popped instance at the given place in the order.
  @inlinable public subscript(index: Int) -> PoppedInstance {
    precondition(index < count)
    return storage[index]
  }

  /// Forgets all, to use the buffer again.
  public mutating func removeAll() {
    count = 0
  }

  /// Adds one.
  public mutating func append(_ instance: PoppedInstance) {
    storage[count] = instance
    count += 1
  }
}

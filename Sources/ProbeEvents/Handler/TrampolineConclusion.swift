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
/// A buffer to be used again for every arrival. It lives on the heap and has one owner: as a plain
/// value, its 2 KiB would be copied to read one instance.
@safe @frozen public struct PoppedInstances: ~Copyable, @unchecked Sendable {
  /// More instances than a task can hold are never popped.
  public static var capacity: Int { 64 }

  @usableFromInline let storage: UnsafeMutablePointer<PoppedInstance>
  @usableFromInline var filled = 0

  /// None.
  public init() {
    unsafe storage = .allocate(capacity: Self.capacity)
  }

  deinit {
    // Allocated by `init`; instances are flat, so there is nothing else to destroy.
    unsafe storage.deallocate()
  }

  /// How many.
  @inlinable public var count: Int { filled }

  /// The popped instance at the given place in the order.
  @inlinable public subscript(index: Int) -> PoppedInstance {
    precondition(index >= 0 && index < count)
    // Below the count all instances are initialized.
    return unsafe storage[index]
  }

  /// Forgets all, to use the buffer again.
  @inlinable public mutating func removeAll() {
    filled = 0
  }

  /// Adds one.
  @inlinable public mutating func append(_ instance: PoppedInstance) {
    precondition(filled < Self.capacity, "more instances popped than a task can hold")
    // There is room for `capacity` instances.
    unsafe (storage + filled).initialize(to: instance)
    filled += 1
  }
}

public import ProbeEvents

/// One pending return of a probed call.
///
/// Kernel: include/linux/uprobes.h `struct return_instance`.
public struct ReturnInstance: Sendable, Hashable, BitwiseCopyable {
  /// The probed address (`func`): the instruction pointer when the return address was replaced.
  public var function: Address
  /// The user stack pointer at the probed instruction (`stack`, since 4.3): what liveness is
  /// decided by.
  public var stackPointer: Address
  /// Where the call really returns to (`orig_ret_vaddr`).
  public var originalReturnAddress: Address
  /// The number of the entry that pushed it, handed back when it is popped.
  public var entry: UInt64
  /// Whether its return slot held the trampoline already, so that it returns together with the
  /// instance below it (`chained`).
  public var isChained: Bool

  /// A return instance.
  @inlinable public init(
    function: Address, stackPointer: Address, originalReturnAddress: Address, isChained: Bool,
    entry: UInt64
  ) {
    self.function = function
    self.stackPointer = stackPointer
    self.originalReturnAddress = originalReturnAddress
    self.entry = entry
    self.isChained = isChained
  }
}

/// What a handler is given when a task reaches the return trampoline.
public struct TrampolineArrival: Sendable, BitwiseCopyable {
  /// The stack pointer as the trampoline found it: after the return instruction.
  public var stackPointer: Address
  /// Whether the task runs in 32-bit user mode.
  public var isCompat: Bool

  /// An arrival at the trampoline.
  public init(stackPointer: Address, isCompat: Bool = false) {
    self.stackPointer = stackPointer
    self.isCompat = isCompat
  }
}

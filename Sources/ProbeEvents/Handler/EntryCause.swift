/// What a handler is given at a breakpoint: the state the kernel would read there, and nothing that
/// the kernel would not know.
public struct EntryCause: Sendable, BitwiseCopyable {
  /// Address of the breakpoint.
  public var instructionPointer: Address
  /// User stack pointer at the probed instruction.
  public var stackPointer: Address
  /// The return address as the program had it before the kernel touched it: the word at the stack
  /// pointer, or the link register.
  public var returnAddress: Address
  /// Address of the return trampoline in this address space; 0 while there is none.
  public var trampoline: Address
  /// A number for this entry that the handler hands back when the call returns.
  public var entry: UInt64
  /// Whether some consumer of the probe has a return handler.
  public var wantsReturn: Bool
  /// Whether the task runs in 32-bit user mode.
  public var isCompat: Bool
  /// The eight bytes at the stack pointer as they lie there, of which a 32-bit task's return address
  /// is the lower half; 0 where the tape does not have them.
  public var stackWord: UInt64

  /// A breakpoint hit.
  public init(
    instructionPointer: Address, stackPointer: Address, returnAddress: Address,
    trampoline: Address, entry: UInt64, wantsReturn: Bool, isCompat: Bool = false,
    stackWord: UInt64 = 0
  ) {
    self.instructionPointer = instructionPointer
    self.stackPointer = stackPointer
    self.returnAddress = returnAddress
    self.trampoline = trampoline
    self.entry = entry
    self.wantsReturn = wantsReturn
    self.isCompat = isCompat
    self.stackWord = stackWord
  }
}

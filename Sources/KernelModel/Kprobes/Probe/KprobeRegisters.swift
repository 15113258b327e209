public import ProbeEvents

/// The registers of an interrupted processor, and the word its stack pointer points to: all that
/// the kernel reads and writes on behalf of a probed instruction.
public struct KprobeRegisters: Sendable, BitwiseCopyable {
  /// The next instruction.
  public var instructionPointer: Address
  /// The stack pointer.
  public var stackPointer: Address
  /// The word at the stack pointer. After a pop it is 0: what was below is not known.
  public var stackWord: UInt64
  /// `flags` on x86-64, `pstate` on arm64.
  public var flags: UInt64
  /// General registers by the number instructions use: x86-64 0 to 15 (`ax`, `cx`, `dx`, `bx`,
  /// `sp`, ...; number 4 is ``stackPointer``), arm64 0 to 30.
  public var general: InlineArray<32, UInt64>
  /// Whether user mode was interrupted.
  public var isUser: Bool

  /// Registers, zero unless given.
  public init(
    instructionPointer: Address, stackPointer: Address = 0, stackWord: UInt64 = 0,
    flags: UInt64 = 0, isUser: Bool = false
  ) {
    self.instructionPointer = instructionPointer
    self.stackPointer = stackPointer
    self.stackWord = stackWord
    self.flags = flags
    self.isUser = isUser
    general = InlineArray(repeating: 0)
  }
}

extension KprobeRegisters: Equatable {
  /// Whether all registers agree.
  public static func == (left: Self, right: Self) -> Bool {
    guard left.instructionPointer == right.instructionPointer,
      left.stackPointer == right.stackPointer, left.stackWord == right.stackWord,
      left.flags == right.flags, left.isUser == right.isUser
    else { return false }
    return left.general.indices.allSatisfy { left.general[$0] == right.general[$0] }
  }
}

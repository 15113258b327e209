/// The registers a hit of one architecture carries, in the order of the kernel's perf register
/// numbers (`arch/*/include/uapi/asm/perf_regs.h`). A register's place in this order is its column.
public struct RegisterLayout: Sendable, Hashable {
  /// Lower-case register names, by column.
  public let names: [String]
  /// The kernel's perf register number of each column, ascending.
  public let perfNumbers: [UInt8]
  /// Column of the stack pointer.
  public let stackPointer: Int
  /// Column of the instruction pointer.
  public let instructionPointer: Int
  /// Column of the link register; nil where a call pushes its return address on the stack.
  public let linkRegister: Int?
  /// Column of the code segment, which tells 32-bit from 64-bit user mode; nil where there is none.
  public let codeSegment: Int?

  /// Number of columns.
  public var count: Int { names.count }

  /// The mask for `perf_event_attr.sample_regs_user`.
  public var perfMask: UInt64 {
    perfNumbers.reduce(0) { $0 | (1 << UInt64($1)) }
  }

  static let x86_64 = RegisterLayout(
    names: [
      "ax", "bx", "cx", "dx", "si", "di", "bp", "sp", "ip", "flags", "cs", "ss",
      "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
    ],
    perfNumbers: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 16, 17, 18, 19, 20, 21, 22, 23],
    stackPointer: 7, instructionPointer: 8, linkRegister: nil, codeSegment: 10)

  static let aarch64 = RegisterLayout(
    names: (0..<29).map { "x\($0)" } + ["x29", "lr", "sp", "pc"],
    perfNumbers: Array(0..<33),
    stackPointer: 31, instructionPointer: 32, linkRegister: 30, codeSegment: nil)
}

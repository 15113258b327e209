/// What the kernel does with a probed x86 instruction, decided once when the breakpoint is first
/// placed.
///
/// Kernel: arch/x86/include/asm/uprobes.h `struct arch_uprobe`
public struct X86Treatment: Sendable, Hashable {
  /// How the instruction takes effect.
  public enum Execution: Sendable, Hashable {
    /// The kernel moves the instruction pointer itself. The opcode byte tells a condition; anything
    /// else is unconditional.
    case branch(opcode: UInt8, offset: Int64)
    /// The kernel pushes the return address and moves the instruction pointer itself.
    case call(offset: Int64)
    /// The kernel pushes a register, given by its column in the register layout.
    case push(column: Int)
    /// A copy is executed out of line; the fix-ups follow.
    case step(FixUps)
  }

  /// What has to be set right around a step.
  public struct FixUps: OptionSet, Sendable, Hashable {
    /// The bits.
    public let rawValue: UInt8

    /// A set of fix-ups.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The instruction pointer ended relative to the copy (`UPROBE_FIX_IP`).
    public static let instructionPointer = FixUps(rawValue: 0x01)
    /// The return address on the stack follows the copy (`UPROBE_FIX_CALL`).
    public static let returnAddress = FixUps(rawValue: 0x02)
    /// The instruction sets the trap flag itself (`UPROBE_FIX_SETF`).
    public static let trapFlag = FixUps(rawValue: 0x04)
    /// `si` stands for the instruction pointer in the copy (`UPROBE_FIX_RIP_SI`).
    public static let scratchSI = FixUps(rawValue: 0x08)
    /// `di` does.
    public static let scratchDI = FixUps(rawValue: 0x10)
    /// `bx` does.
    public static let scratchBX = FixUps(rawValue: 0x20)
  }

  /// How the instruction takes effect.
  public var execution: Execution
  /// Length of the original instruction in bytes.
  public var length: Int
  /// What is copied to an XOL slot when the instruction has to be executed (`ixol`), which differs
  /// from the original (`insn`) where that depends on its address.
  public var copy: [UInt8]
  /// Whether the site may become a call after its first hit.
  public var canBeOptimized: Bool
}

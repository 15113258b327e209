public import ProbeEvents

/// The instruction under a probe, and how it will be executed in spite of it.
///
/// Kernel: `opcode` and `struct arch_specific_insn` of include/linux/kprobes.h and asm/kprobes.h
public struct PreparedInstruction: Sendable, Hashable {
  /// The first byte (x86-64) or the whole instruction (arm64), to be put back on removal.
  public var opcode: UInt32
  /// Its length in bytes.
  public var length: UInt64
  /// Where its copy is; nil if it needs none.
  public var slot: Address?
  /// How it is executed.
  public var execution: Execution
  /// Whether the copy may run on to a jump back instead of being stepped (x86-64).
  public var boost: Boost
  /// Where the detour of an optimised probe starts, if there is one.
  public var detour: Address?

  /// How an instruction under a probe is executed.
  public enum Execution: Sendable, Hashable {
    /// Its copy is stepped.
    case stepped
    /// x86-64: its copy is stepped and what it did is corrected (hardware stepping).
    case fixedUp(X86FixUp)
    /// x86-64: the kernel does what it would have done (breakpoint stepping).
    case emulated(X86Emulation)
    /// arm64: likewise.
    case simulated(ARM64Instruction.Simulation)
    /// It is the function tracer's call.
    case ftrace
  }

  /// Whether a copied instruction may be followed by a jump instead of a trap.
  public enum Boost: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// Never.
    case no
    /// After it has been stepped once (hardware stepping).
    case afterStep
    /// Yes.
    case yes
  }
}

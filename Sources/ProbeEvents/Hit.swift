/// Which of a probe's two events a hit is.
public enum HitKind: UInt8, Sendable, Hashable, BitwiseCopyable {
  /// The breakpoint at the probed instruction.
  case entry = 0
  /// A return handler run from the return trampoline.
  case `return` = 1
}

/// What is special about a hit's registers.
public struct HitFlags: OptionSet, Sendable, Hashable, BitwiseCopyable {
  /// The bits as stored in a tape.
  public let rawValue: UInt8

  /// Flags from their stored bits.
  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// The task ran in 32-bit user mode: words on its stack are 4 bytes.
  public static let compat = HitFlags(rawValue: 1)
  /// The sample had no user registers (`PERF_SAMPLE_REGS_ABI_NONE`): all columns are zero.
  public static let registersMissing = HitFlags(rawValue: 2)
}

/// One probe event as observed, without its stack window (which is passed beside it).
public struct Hit: Sendable, BitwiseCopyable {
  /// Entry or return.
  public var kind: HitKind
  /// What is special about the registers.
  public var flags: HitFlags
  /// The CPU it happened on.
  public var cpu: UInt16
  /// Index in the tape's probe table.
  public var probe: UInt32
  /// The thread it happened in.
  public var thread: ThreadIdentity
  /// CLOCK_MONOTONIC, nanoseconds.
  public var time: UInt64
  /// For a return the kernel's `func` (the probed address of the call that returns); for an entry
  /// the address of the breakpoint.
  public var function: Address
  /// User registers. At a return the instruction pointer is where the function returns to and the
  /// stack pointer is the value after the return.
  public var registers: RegisterFile

  /// A hit.
  public init(
    kind: HitKind, flags: HitFlags = [], cpu: UInt16, probe: UInt32, thread: ThreadIdentity,
    time: UInt64, function: Address, registers: RegisterFile
  ) {
    self.kind = kind
    self.flags = flags
    self.cpu = cpu
    self.probe = probe
    self.thread = thread
    self.time = time
    self.function = function
    self.registers = registers
  }
}

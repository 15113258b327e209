/// A debug exception, as the processor reports it.
///
/// Kernel: arch/arm64/include/asm/esr.h, arch/arm64/include/asm/debug-monitors.h
public struct ARMDebugException: Sendable, Equatable {
  /// The syndrome register (ESR_EL1).
  public var syndrome: UInt32
  /// The registers of what was interrupted.
  public var registers: KprobeRegisters

  /// An exception.
  public init(syndrome: UInt32, registers: KprobeRegisters) {
    self.syndrome = syndrome
    self.registers = registers
  }

  /// A BRK instruction with an immediate.
  public static func breakpoint(_ immediate: UInt16, _ registers: KprobeRegisters) -> Self {
    Self(syndrome: 0x3c << 26 | 1 << 25 | UInt32(immediate), registers: registers)
  }

  /// The end of a hardware step.
  public static func step(_ registers: KprobeRegisters) -> Self {
    let exceptionClass: UInt32 = registers.isUser ? 0x32 : 0x33
    return Self(syndrome: exceptionClass << 26 | 1 << 25, registers: registers)
  }

  /// The exception class (EC).
  public var exceptionClass: UInt32 { syndrome >> 26 }
  /// The immediate of a BRK instruction.
  public var immediate: UInt16 { UInt16(truncatingIfNeeded: syndrome) }

  /// Where the exception's entry leads.
  ///
  /// Classes come in pairs, one for user and one for kernel mode; from kernel mode, those of user
  /// mode cannot happen.
  ///
  /// Kernel: arch/arm64/kernel/entry.S el1_dbg (until 5.4), arch/arm64/kernel/entry-common.c
  /// el1h_64_sync_handler(), el0t_64_sync_handler()
  public var entry: Entry {
    switch (exceptionClass, registers.isUser) {
    case (0x3c, _): .event(.breakpointInstruction)
    case (0x30, true), (0x31, false): .event(.hardwareBreakpoint)
    case (0x32, true), (0x33, false): .event(.step)
    case (0x34, true), (0x35, false): .event(.watchpoint)
    case (0x38, true): .event(.breakpointInstruction32)
    case (0x3a, true): .event(.vectorCatch32)
    case (0x30, false), (0x32, false), (0x34, false), (0x38, false), (0x3a, false): .invalid
    default: .other
    }
  }

  /// Where an exception's entry leads.
  public enum Entry: Sendable, Hashable {
    /// To the handler of a debug event.
    case event(Event)
    /// Nowhere: it cannot happen.
    case invalid
    /// It is no debug exception.
    case other
  }

  /// Debug events by number, which are the rows of the kernel's table of handlers. Numbers 3 and 7
  /// do not exist.
  ///
  /// Kernel: arch/arm64/mm/fault.c debug_fault_info
  public enum Event: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    case hardwareBreakpoint = 0
    case step = 1
    case watchpoint = 2
    case breakpointInstruction32 = 4
    case vectorCatch32 = 5
    case breakpointInstruction = 6
  }
}

/// What comes of a debug exception.
public enum ARMDebugConclusion: Sendable, Equatable {
  /// It was a kprobe's.
  case kprobe(KprobeOutcome)
  /// It was a hook's; by its place in the list.
  case hook(Int)
  /// A suspended hardware breakpoint was being stepped over; it is active again.
  case breakpointsActive
  /// The task gets SIGTRAP with this `si_code`. After a step, stepping is prepared anew.
  case trapSignal(code: Int32, isSteppedAgain: Bool)
  /// Nobody wanted a step of the kernel: it warns, and goes on stepping.
  case unexpectedStep(KprobeRegisters)
  /// Nobody wanted a breakpoint of the kernel (EFAULT): it dies.
  case unexpectedBreakpoint
  /// A hardware breakpoint or watchpoint, which have handlers of their own.
  case hardware
  /// There is no handler.
  case unhandled(ARMDebugException.Event)
  /// The entry refuses it.
  case invalid
  /// It is no debug exception.
  case other
}

/// Who else wants debug exceptions.
public struct ARMDebugHooks: Sendable, Hashable {
  /// For BRK instructions in kernel mode, in the order of registration.
  public var kernelBreak: [Break] = []
  /// For BRK instructions in user mode, in the order of registration.
  public var userBreak: [Break] = []
  /// For steps in kernel mode, in the order they are asked: whether each takes it.
  public var kernelStep: [Bool] = []
  /// For steps in user mode, in the order they are asked: whether each takes it.
  public var userStep: [Bool] = []

  /// No hooks.
  public init() {}

  /// A hook for BRK instructions.
  public struct Break: Sendable, Hashable {
    /// Its immediate.
    public var immediate: UInt16
    /// Which bits of the immediate do not matter.
    public var mask: UInt16
    /// Whether it takes the breakpoint.
    public var takes: Bool

    /// A hook.
    public init(_ immediate: UInt16, mask: UInt16 = 0, takes: Bool = true) {
      self.immediate = immediate
      self.mask = mask
      self.takes = takes
    }
  }

  /// The hook that takes a breakpoint. Only one is asked: of those that match, the one registered
  /// first (new ones go to the head of the list, and the last match counts).
  ///
  /// Kernel: arch/arm64/kernel/debug-monitors.c call_break_hook()
  func breakHook(_ immediate: UInt16, isUser: Bool) -> Int? {
    let hooks = isUser ? userBreak : kernelBreak
    guard let index = hooks.firstIndex(where: { immediate & ~$0.mask == $0.immediate }) else {
      return nil
    }
    return hooks[index].takes ? index : nil
  }

  /// The hook that takes a step. They are asked in turn.
  ///
  /// Kernel: arch/arm64/kernel/debug-monitors.c call_step_hook()
  func stepHook(isUser: Bool) -> Int? {
    (isUser ? userStep : kernelStep).firstIndex(of: true)
  }
}

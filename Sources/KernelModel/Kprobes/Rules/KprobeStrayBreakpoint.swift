internal import ProbeEvents

extension KprobeRules {
  /// What happens at a breakpoint where there is no probe.
  ///
  /// Evidence: arm64 6.1 returns as if it had been handled, 6.4 warns and declines. x86 backs up
  /// over the breakpoint if it is gone from the text in 6.1.192, and no longer looks in 6.12.
  public enum StrayBreakpoint: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// Somebody must have removed the probe: the instruction is tried again. On x86-64 only if the
    /// breakpoint is gone from the text.
    case triedAgain
    /// It is not a kprobe's.
    case declined

    init(_ epoch: KprobeEpoch) {
      self = epoch < .k12 ? .triedAgain : .declined
    }
  }

  /// Whether arm64 takes a kprobe's breakpoint in user mode for its own.
  ///
  /// Evidence: kprobe_breakpoint_handler() of 4.8 does not look at the mode; later it declines, and
  /// since 5.2 only kernel mode's hooks lead there. x86 has always looked.
  ///
  /// Effect: before, a program that executes the instruction hangs on it.
  public enum UserBreakpoint: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// Yes.
    case taken
    /// No.
    case declined

    init(_ epoch: KprobeEpoch, _ architecture: Architecture) {
      switch architecture {
      case .x86_64: self = .declined
      case .aarch64: self = epoch < .k3 ? .taken : .declined
      }
    }
  }

  /// How a debug exception finds its handler on arm64.
  ///
  /// Evidence: brk_handler() and single_step_handler() name kprobes before other hooks until 5.1,
  /// kprobes are hooks themselves in 5.2, and the table of handlers is gone in 6.12.117 (mainline
  /// 6.17 by general knowledge: no source of 6.15 to 6.17 was at hand).
  public enum DebugDispatch: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// A table by event; the handlers ask kprobes before the hooks.
    case kprobesFirst
    /// A table by event; kprobes are among the hooks.
    case hooks
    /// An entry for each class of exception.
    case perClass

    init(_ epoch: KprobeEpoch) {
      self = epoch < .k4 ? .kprobesFirst : epoch < .k14 ? .hooks : .perClass
    }
  }
}

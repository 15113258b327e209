/// What comes of something that happened on a processor.
public enum KprobeOutcome: Sendable, Equatable {
  /// It is not a kprobe's; somebody else has to deal with it.
  case declined
  /// A handler runs, with these registers. When it is done, tell ``KprobeKernel`` with
  /// `handlerReturned`.
  case call(KprobeCall, KprobeRegisters)
  /// The processor goes on with these registers.
  case resume(KprobeRegisters)
  /// Kprobes are done, but the trap goes on to others, with these registers.
  case passOn(KprobeRegisters)
  /// The kernel stops.
  case stop(KprobeStop)
}

/// Why the kernel stops.
public enum KprobeStop: Sendable, Hashable, CaseIterable {
  /// A probe was hit where another hit cannot be taken (BUG in reenter_kprobe()).
  case unrecoverableReentry
  /// A breakpoint where the end of a step is expected, but no probe is running: a null pointer.
  case noRunningProbe
  /// There is no copy to step: a jump to address zero.
  case noCopy
  /// A fault of a probe at address zero (BUG in kprobe_fault_handler()).
  case probeAtZero
}

/// One call of a handler.
public struct KprobeCall: Sendable, Hashable {
  /// Which handler.
  public var handler: Handler
  /// Whose.
  public var probe: KprobeID
  /// The entry it is called for.
  public var entry: KprobeEntryID
  /// The members to ask after it. The list was read when the call was made: a member that is
  /// removed meanwhile does not end the walk, and one that is added is not in it.
  var remaining: [KprobeID]
  /// For ``Handler/fault``: whether the exception table has a fix-up.
  var hasFixUp = false
  /// The trap number, for ``Handler/fault``.
  public var trap: Int32 = 0

  /// The handlers.
  public enum Handler: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// Before the instruction.
    case pre
    /// After the instruction.
    case post
    /// A fault in one of the others.
    case fault
    /// A breakpoint that is nobody's.
    case breakpoint
    /// Before an instruction that was replaced by a jump; what it returns does not matter.
    case optimizedPre
    /// Before a function, by the function tracer.
    case ftracePre
    /// After its first instruction, by the function tracer.
    case ftracePost
  }
}

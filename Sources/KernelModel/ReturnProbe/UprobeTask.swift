public import ProbeEvents

/// What the kernel keeps of a task while it is probed: its utask, as far as returns care.
///
/// A flat value: keeping a snapshot is a copy, and two runs never share state. A task without hits
/// has no utask in the kernel; here that is the same as an empty one, because no rule tells them
/// apart.
///
/// What happens to a task at every hit is inlinable: a replay does little else, and a call across the
/// module boundary would cost as much as the rules.
///
/// Kernel: include/linux/uprobes.h `struct uprobe_task`.
public struct UprobeTask: Sendable, BitwiseCopyable {
  /// The task's pending returns.
  public var returnInstances: ReturnInstanceStack

  /// A task that has met no probe yet.
  public init() {
    returnInstances = ReturnInstanceStack()
  }

  /// What the task does at a breakpoint, as far as its returns are concerned.
  ///
  /// All consumers of a probe share one return instance per hit, made after their entry handlers ran.
  ///
  /// Kernel: kernel/events/uprobes.c handle_swbp(), handler_chain()
  @inlinable @inline(__always)
  public mutating func handleBreakpoint(
    _ cause: EntryCause, rules: ReturnProbeRules
  ) -> EntryConclusion {
    guard cause.wantsReturn else { return EntryConclusion(.noReturnProbe) }
    return prepareReturnProbe(cause, rules: rules)
  }
}

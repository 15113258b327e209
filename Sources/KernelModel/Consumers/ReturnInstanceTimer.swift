/// The timer that ends the leases of a task's return instances (since 6.13).
///
/// Kernel: kernel/events/uprobes.c ri_timer(), RI_TIMER_PERIOD
public struct ReturnInstanceTimer: Sendable, Hashable, BitwiseCopyable {
  /// How long after the last push it runs out, in milliseconds.
  public static let periodMilliseconds: UInt64 = 100

  /// When it runs out, in milliseconds; nil while it is not armed.
  public private(set) var deadlineMilliseconds: UInt64?

  /// A timer at rest.
  public init() {}

  /// Sets it anew: every push of a return instance does, however long it was running already.
  public mutating func arm(atMilliseconds now: UInt64) {
    deadlineMilliseconds = now.addingReportingOverflow(Self.periodMilliseconds).partialValue
  }

  /// Whether it runs out by `now`; if so it is at rest afterwards.
  public mutating func expires(byMilliseconds now: UInt64) -> Bool {
    guard let deadline = deadlineMilliseconds, deadline <= now else { return false }
    deadlineMilliseconds = nil
    return true
  }
}

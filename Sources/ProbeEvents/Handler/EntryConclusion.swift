/// What a handler did at a breakpoint.
public struct EntryConclusion: Sendable, Hashable, BitwiseCopyable {
  /// What became of the return instance.
  public enum Outcome: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// Nobody wanted the return.
    case noReturnProbe = 0
    /// A return instance was pushed and the return address replaced by the trampoline.
    case pushed = 1
    /// A chained return instance was pushed: the return address was the trampoline already.
    case chained = 2
    /// No instance, because the depth limit was reached; the return address was not touched.
    case omittedAtDepthLimit = 3
    /// No instance, because the return address was the trampoline but no instance was left to
    /// take the original address from.
    case chainWithoutInstance = 4
    /// No instance, because the return address could not be read or replaced.
    case hijackFailed = 5
  }

  /// What became of the return instance.
  public var outcome: Outcome
  /// How many dead instances were dropped from the head of the list, without handlers.
  public var dropped: UInt8

  /// A conclusion.
  public init(_ outcome: Outcome, dropped: UInt8 = 0) {
    self.outcome = outcome
    self.dropped = dropped
  }
}

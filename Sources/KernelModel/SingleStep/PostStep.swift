/// What came of the fix-ups after a step.
public struct PostStep: Sendable, Hashable, BitwiseCopyable {
  /// The task, which traces itself, gets the SIGTRAP that the kernel's own step swallowed.
  public var sendsTrap: Bool
  /// The original instruction is executed once more.
  public var restarts: Bool
  /// The fix-ups failed for good. The hooks modelled here never say so; those for shadow stacks do.
  public var hasFailed: Bool

  /// A result.
  public init(sendsTrap: Bool = false, restarts: Bool = false, hasFailed: Bool = false) {
    self.sendsTrap = sendsTrap
    self.restarts = restarts
    self.hasFailed = hasFailed
  }
}

extension ReturnProbeRules {
  /// What a popped instance does to the depth that the limit of 64 is tested against.
  ///
  /// Evidence: handle_trampoline() of 3.10.0 counts down only for chained instances, that of 3.12 and
  /// of 3.10.99 for all ("uprobes: Fix utask->depth accounting in handle_trampoline()").
  ///
  /// Effect: before, a task gets no return instance any more after 64 ordinary returns.
  public enum DepthAccounting: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// Only chained instances count down.
    case leaksUnlessChained
    /// Every instance counts down.
    case exact

    init(_ epoch: Epoch) {
      self = epoch < .e1 ? .leaksUnlessChained : .exact
    }

    /// Whether a stable release has the fix. It came to 3.10 at some patch not after this one.
    static func isBackported(to release: KernelRelease) -> Bool {
      release.isStable(of: 3, 10, since: 99)
    }
  }
}

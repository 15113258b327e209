extension ReturnProbeRules {
  /// Which children start with a copy of their parent's return instances.
  ///
  /// Evidence: uprobe_copy_process() and dup_utask() of 3.13 ("uprobes: Teach uprobe_copy_process()
  /// to handle CLONE_VM/CLONE_VFORK"); 3.12 only clears the child's utask.
  ///
  /// Effect: before, a child dies when it returns through a frame that was probed in its parent.
  public enum ChildInheritance: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// None.
    case none
    /// Those with a stack of inherited frames: by fork or vfork, not threads.
    case forkAndVfork

    init(_ epoch: Epoch) {
      self = epoch < .e2 ? .none : .forkAndVfork
    }
  }
}

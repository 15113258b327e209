public import ProbeEvents

extension UprobeTask {
  /// The utask of a new task whose parent has this one.
  ///
  /// A thread starts empty. A child of fork or vfork returns through the frames it inherited, whose
  /// return slots hold the trampoline: since 3.13 it gets the parent's instances to do so. The
  /// parent keeps its own, so one entry can be followed by two returns.
  ///
  /// Kernel: kernel/events/uprobes.c uprobe_copy_process(), dup_utask()
  public func copied(as copy: TaskCopy, rules: ReturnProbeRules) -> UprobeTask {
    switch (copy, rules.childInheritance) {
    case (.thread, .none), (.thread, .forkAndVfork), (.fork, .none), (.vfork, .none):
      return UprobeTask()
    case (.fork, .forkAndVfork), (.vfork, .forkAndVfork):
      var child = self
      child.returnInstances.recountDepth()
      return child
    }
  }
}

extension Uprobes {
  /// Whether a breakpoint trap belongs to uprobes. If so the task looks at it on its way back to user
  /// mode; if not, it gets the ordinary SIGTRAP.
  ///
  /// A process without probes is asked about its trampoline as well: returns may be pending longer
  /// than probes live.
  ///
  /// Kernel: kernel/events/uprobes.c uprobe_pre_sstep_notifier(); arch/x86/kernel/uprobes.c
  /// arch_uprobe_exception_notify(); arch/arm64/kernel/probes/uprobes.c uprobe_breakpoint_handler()
  public func claimsBreakpoint(_ task: inout ProbedTask) -> Bool {
    guard spaces.indices.contains(task.space) else { return false }
    guard spaces[task.space].hasUprobes || !task.returns.returnInstances.isEmpty else {
      return false
    }
    task.isNotified = true
    return true
  }

  /// Whether a step trap belongs to uprobes: whether the task is in one of its steps.
  ///
  /// Kernel: kernel/events/uprobes.c uprobe_post_sstep_notifier(); arch/x86/kernel/uprobes.c
  /// arch_uprobe_exception_notify(); arch/arm64/kernel/probes/uprobes.c
  /// uprobe_single_step_handler()
  public func claimsStep(_ task: inout ProbedTask) -> Bool {
    guard spaces.indices.contains(task.space), task.hasUtask, task.step.probe != nil else {
      return false
    }
    task.step.state = .singleStepAcknowledged
    task.isNotified = true
    return true
  }
}

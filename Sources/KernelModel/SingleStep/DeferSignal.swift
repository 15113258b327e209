extension ProbedTask {
  /// Whether signals are kept from the task because it is in a step. Those that are pending wait,
  /// unless the step cannot end: then the task is on its way to be put back.
  ///
  /// Kernel: kernel/events/uprobes.c uprobe_deny_signal()
  public mutating func deferSignal() -> Bool {
    guard hasUtask, step.probe != nil else { return false }
    if isSignalPending {
      isSignalPending = false
      hasDeferredSignal = true
      if hasFatalSignal || step.wasTrapped {
        step.state = .singleStepTrapped
        isNotified = true
      }
    }
    return true
  }
}

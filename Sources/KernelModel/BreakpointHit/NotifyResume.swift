public import ProbeEvents

extension Uprobes {
  /// What a notified task does on its way back to user mode.
  ///
  /// - Parameters:
  ///   - now: the time, in milliseconds.
  ///   - handle: runs one entry handler, which may change the registers.
  ///
  /// Kernel: kernel/events/uprobes.c uprobe_notify_resume()
  public mutating func notifyResume(
    _ task: inout ProbedTask, now: UInt64 = 0, memory: inout some UserMemory,
    handle: (Consumer, inout RegisterFile) -> HandlerCall
  ) -> NotifyOutcome {
    guard task.isNotified else { return .notNotified }
    task.isNotified = false
    if task.hasUtask, task.step.probe != nil {
      let outcome = finishStep(&task, memory: &memory)
      if outcome == .unexpected { warnings.append(.unexpectedStep) }
      return .step(outcome)
    }
    return .hit(handleBreakpoint(&task, now: now, memory: &memory, handle: handle))
  }
}

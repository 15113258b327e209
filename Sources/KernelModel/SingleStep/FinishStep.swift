extension Uprobes {
  /// Ends a step: sets right what the copy did differently, or puts the task back.
  ///
  /// A task that is in neither state was woken without reason; the kernel warns and drops the step.
  ///
  /// Kernel: kernel/events/uprobes.c handle_singlestep()
  mutating func finishStep(_ task: inout ProbedTask, memory: inout some UserMemory) -> StepOutcome {
    guard let probe = task.step.probe else { return .unexpected }
    let treatment = probeIndex(probe).flatMap { probes[$0].treatment }
    var hasFailed = false
    let outcome: StepOutcome
    switch task.step.state {
    case .singleStepAcknowledged:
      let result = treatment?.postXOL(&task, memory: &memory) ?? PostStep()
      if result.sendsTrap { task.signals.append(.trapSent) }
      hasFailed = result.hasFailed
      outcome = result.restarts ? .restarts : .done
    case .singleStepTrapped:
      treatment?.abortXOL(&task)
      outcome = .putBack
    case .running, .singleStep:
      outcome = .unexpected
    }
    dropReference(probe)
    task.step.probe = nil
    task.step.state = .running
    freeSlot(of: &task)
    if task.hasDeferredSignal {
      task.hasDeferredSignal = false
      task.isSignalPending = true
    }
    if hasFailed, rules.failedFixUp == .illegalInstruction { task.signals.append(.illegal) }
    return outcome
  }

  /// What became of a step.
  public enum StepOutcome: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// The original counts as executed.
    case done
    /// The original is executed again.
    case restarts
    /// The task is back at the original, which does not count as executed.
    case putBack
    /// The task was in no step, or had not come to its end.
    case unexpected
  }

  /// Gives the task's slot back.
  mutating func freeSlot(of task: inout ProbedTask) {
    if spaces.indices.contains(task.space) {
      spaces[task.space].xolArea?.freeSlot(at: task.step.xolAddress)
    }
    task.step.xolAddress = 0
  }
}

public import ProbeEvents

extension Uprobes {
  /// A task's child, in a new address space or in the parent's. It gets copies of the pending returns
  /// where ``UprobeTask/copied(as:rules:)`` says so, with holds of their own; leases of the parent
  /// end with that.
  ///
  /// Kernel: kernel/events/uprobes.c uprobe_copy_process(), dup_utask(), dup_xol_work()
  public mutating func copied(
    _ task: inout ProbedTask, as copy: TaskCopy, space: Int
  ) -> ProbedTask {
    var child = ProbedTask(space: space, registers: task.registers, isCompat: task.isCompat)
    child.processorState = task.processorState
    child.returns = task.returns.copied(as: copy, rules: rules.returns)
    guard !child.returns.returnInstances.isEmpty else { return child }
    child.hasUtask = true
    child.lastEntry = task.lastEntry
    for index in task.pending.indices {
      var pending = task.pending[index]
      let isThere = expireHold(&task.pending[index], forCopy: true)
      pending.hold = HybridProbe(stable: isThere)
      child.pending.append(pending)
    }
    // The child of a fork returns through the trampoline's address in its own memory.
    if copy == .fork, spaces.indices.contains(task.space), spaces.indices.contains(space),
      space != task.space, let area = spaces[task.space].xolArea
    {
      spaces[space].xolPlace = area.address
      _ = ensureXOLArea(in: space)
    }
    return child
  }

  /// A task forgets its probes: it ends, or replaces its program. No handler runs.
  ///
  /// Kernel: kernel/events/uprobes.c uprobe_free_utask()
  public mutating func free(_ task: inout ProbedTask) {
    for pending in task.pending { endHold(pending) }
    task.pending = []
    task.returns.free()
    if let probe = task.step.probe { dropReference(probe) }
    if let waiting = task.waiting { dropReference(waiting.probe) }
    freeSlot(of: &task)
    task.waiting = nil
    task.step = SingleStep()
    task.timer = ReturnInstanceTimer()
    task.hasUtask = false
    task.isNotified = false
  }
}

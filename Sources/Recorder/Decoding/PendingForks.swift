import ProbeEvents

/// Forks whose clone flags are still to come: the kernel reports a new task twice, first to perf
/// and right after to the `task:task_newtask` tracepoint (`kernel/fork.c copy_process()`).
struct PendingForks {
  private var forks: [TaskFork] = []

  /// Whether none waits.
  var isEmpty: Bool { forks.isEmpty }

  /// Adds one.
  mutating func add(_ fork: TaskFork) {
    forks.append(fork)
  }

  /// Takes the one that made a child.
  mutating func take(child: Int32) -> TaskFork? {
    take { $0.child.thread == child }
  }

  /// Takes one in which a thread is parent or child.
  mutating func take(involving thread: Int32) -> TaskFork? {
    take { $0.child.thread == thread || $0.parent.thread == thread }
  }

  /// Takes the oldest.
  mutating func takeFirst() -> TaskFork? {
    take { _ in true }
  }

  private mutating func take(where matches: (TaskFork) -> Bool) -> TaskFork? {
    guard let index = forks.firstIndex(where: matches) else { return nil }
    return forks.remove(at: index)
  }
}

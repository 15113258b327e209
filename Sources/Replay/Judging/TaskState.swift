import ProbeEvents

/// What a replay knows about one task, beside the handler's own state in the same slot.
struct TaskState {
  /// Who it is.
  var identity = ThreadIdentity(process: 0, thread: 0)
  /// Index of its address space.
  var addressSpace = 0
  /// Whether it ran before recording began, so that it may hold instances no hit shows.
  var isAttached = false
  /// False from its first divergence on: what follows would only repeat it.
  var isJudged = true
  /// The handler's instances.
  var shadow = ShadowStack()
  /// What the last arrival at the trampoline popped.
  var pending = PoppedInstances()
  /// How many of `pending` have been seen returning on the tape.
  var pendingNext = 0

  /// Moves past instances whose handlers did not run; the next one must return on the tape.
  mutating func skipSilentlyDropped() {
    while pendingNext < pending.count, !pending[pendingNext].handlersRan { pendingNext += 1 }
  }

  /// Whether the last arrival owes a return hit.
  var owesReturn: Bool { pendingNext < pending.count }

  /// Forgets everything about a program that is gone.
  mutating func clear() {
    shadow.removeAll()
    pending.removeAll()
    pendingNext = 0
    isAttached = false
  }
}

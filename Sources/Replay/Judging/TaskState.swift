import ProbeEvents

/// What a replay knows about one task, beside the handler's own state in the same slot.
struct TaskState: BitwiseCopyable {
  /// Who it is.
  var identity = ThreadIdentity(process: 0, thread: 0)
  /// Index of its address space.
  var addressSpace = 0
  /// Whether it ran before recording began, so that it may hold instances no hit shows.
  var isAttached = false
  /// False from its first divergence on: what follows would only repeat it.
  var isJudged = true
}

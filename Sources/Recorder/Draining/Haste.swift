import CPerfEvent

/// How eagerly the calling thread takes the processor from the target.
///
/// A target with more threads than there are processors leaves too little to keep up. As long as
/// memory holds the backlog, that does not matter, and the target runs undisturbed; before it would
/// no longer, the thread takes what it needs. When this goes, all is as before.
struct Haste: ~Copyable {
  /// Backlog from which on to hurry, and below which to stop hurrying, in bytes.
  static let limits = (hurry: 32 << 20, calm: 2 << 20)

  private var niceBefore: Int32?

  /// Not hurrying.
  init() {}

  /// Hurries, until ``adapt(to:)`` sees no need or this goes.
  mutating func hurry() {
    if niceBefore == nil { niceBefore = cperf_thread_favour() }
  }

  /// Hurries or stops hurrying, as the backlog asks for.
  mutating func adapt(to backlogBytes: Int) {
    if backlogBytes > Self.limits.hurry {
      hurry()
    } else if backlogBytes < Self.limits.calm, let value = niceBefore {
      cperf_thread_nice(value)
      niceBefore = nil
    }
  }

  deinit {
    if let niceBefore { cperf_thread_nice(niceBefore) }
  }
}

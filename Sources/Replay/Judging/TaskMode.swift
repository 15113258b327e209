import ProbeEvents

/// What judging a hit depends on beside its task: a constant where the same code judges most hits, so
/// that the compiler leaves out what is not for them.
struct TaskMode {
  let architecture: Architecture
  /// Whether the task runs in 32-bit user mode.
  let isCompat: Bool

  /// Bytes of a stack word.
  var wordSize: UInt64 { isCompat ? 4 : 8 }
}

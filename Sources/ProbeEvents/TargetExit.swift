/// How the recorded command ended.
public enum TargetExit: Sendable, Hashable {
  /// Not known: the recorder attached to running processes, or was stopped itself.
  case unknown
  /// Exited with a status.
  case exited(Int32)
  /// Killed by a signal.
  case killed(Int32)
  /// Still running when recording ended.
  case running
}

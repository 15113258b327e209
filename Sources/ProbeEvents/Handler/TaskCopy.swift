/// How a new task relates to its parent, as far as return instances care.
public enum TaskCopy: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
  /// A thread, or any other child that shares memory and runs beside its parent
  /// (`CLONE_VM` without `CLONE_VFORK`).
  case thread = 0
  /// A child with an address space of its own.
  case fork = 1
  /// A child that borrows its parent's memory while the parent waits (`CLONE_VFORK`, `posix_spawn`).
  case vfork = 2
}

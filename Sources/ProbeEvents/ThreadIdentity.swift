/// A thread as the kernel numbers it in the initial PID namespace: `tgid` and `pid` of its task.
public struct ThreadIdentity: Sendable, Hashable, Comparable, BitwiseCopyable {
  /// The process (the kernel's tgid).
  public var process: Int32
  /// The thread (the kernel's pid).
  public var thread: Int32

  /// A thread of a process.
  public init(process: Int32, thread: Int32) {
    self.process = process
    self.thread = thread
  }

  /// Orders by process, then by thread.
  public static func < (left: Self, right: Self) -> Bool {
    (left.process, left.thread) < (right.process, right.thread)
  }
}

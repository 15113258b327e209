/// Everything on a tape that is not a hit, in the order it happened among the hits.
public enum SideEvent: Sendable, Hashable {
  /// A file (or special area) was mapped executable.
  case mapping(Mapping)
  /// A thread's name became known or changed.
  case threadName(ThreadIdentity, String)
  /// A thread or process was created.
  case fork(TaskFork)
  /// A process replaced its program: its address space is new and all its other threads are gone.
  case exec(ThreadIdentity, String)
  /// A thread ended.
  case exit(ThreadIdentity)
  /// A signal was delivered to a thread.
  case signal(SignalDelivery)
  /// The kernel dropped records because a ring was full.
  case lost(LostHits)
  /// A thread was already running when recording began, so it may hold return instances that no
  /// hit on the tape shows.
  case attached(ThreadIdentity)
  /// The kernel's own list of a task was read.
  case witness(Witness)
}

/// A side event with its time.
public struct TimedSideEvent: Sendable, Hashable {
  /// CLOCK_MONOTONIC, nanoseconds.
  public var time: UInt64
  /// What happened.
  public var event: SideEvent

  /// A side event at a time.
  public init(time: UInt64, event: SideEvent) {
    self.time = time
    self.event = event
  }
}

/// A mapping of a process, as `PERF_RECORD_MMAP2` or `/proc/PID/maps` describes it.
public struct Mapping: Sendable, Hashable {
  /// Name of the area that holds the XOL slots and the return trampoline (at its start).
  public static let uprobesName = "[uprobes]"
  /// Name of the area that optimised entry sites call into (6.18 and later).
  public static let uprobesTrampolineName = "[uprobes-trampoline]"

  /// The process it is in.
  public var process: Int32
  /// First address.
  public var start: Address
  /// Length in bytes.
  public var length: UInt64
  /// File offset of the first byte.
  public var fileOffset: UInt64
  /// Path, or the kernel's bracketed name for a special area.
  public var path: String
  /// Build id of the mapped file; empty when unknown.
  public var buildID: [UInt8]

  /// A mapping.
  public init(
    process: Int32, start: Address, length: UInt64, fileOffset: UInt64, path: String,
    buildID: [UInt8] = []
  ) {
    self.process = process
    self.start = start
    self.length = length
    self.fileOffset = fileOffset
    self.path = path
    self.buildID = buildID
  }
}

/// The creation of a task.
public struct TaskFork: Sendable, Hashable {
  /// The task that called clone, fork or vfork.
  public var parent: ThreadIdentity
  /// The new task.
  public var child: ThreadIdentity
  /// The clone flags (`include/uapi/linux/sched.h`); nil when the recorder could not see them.
  public var cloneFlags: UInt64?

  /// `CLONE_VM`: the child shares the parent's address space.
  public static let cloneVM: UInt64 = 0x100
  /// `CLONE_VFORK`: the parent waits until the child releases the address space.
  public static let cloneVfork: UInt64 = 0x4000

  /// The creation of a task.
  public init(parent: ThreadIdentity, child: ThreadIdentity, cloneFlags: UInt64?) {
    self.parent = parent
    self.child = child
    self.cloneFlags = cloneFlags
  }
}

/// A signal's delivery, as the `signal:signal_deliver` tracepoint shows it.
public struct SignalDelivery: Sendable, Hashable {
  /// The thread that takes it.
  public var thread: ThreadIdentity
  /// Signal number.
  public var number: Int32
  /// `si_code`.
  public var code: Int32
  /// Whether the program has a handler for it (false: default action).
  public var isHandled: Bool
  /// User instruction pointer at delivery; 0 when unknown.
  public var instructionPointer: Address
  /// User stack pointer at delivery; 0 when unknown.
  public var stackPointer: Address

  /// A signal's delivery.
  public init(
    thread: ThreadIdentity, number: Int32, code: Int32, isHandled: Bool,
    instructionPointer: Address, stackPointer: Address
  ) {
    self.thread = thread
    self.number = number
    self.code = code
    self.isHandled = isHandled
    self.instructionPointer = instructionPointer
    self.stackPointer = stackPointer
  }
}

/// Records that the kernel dropped.
public struct LostHits: Sendable, Hashable {
  /// Stands for a CPU that is not known.
  public static let unknownCPU: UInt16 = 65_535

  /// How many records, of any kind, were dropped.
  public var count: UInt64
  /// The CPU whose ring was full.
  public var cpu: UInt16

  /// Dropped records of one ring.
  public init(count: UInt64, cpu: UInt16) {
    self.count = count
    self.cpu = cpu
  }
}

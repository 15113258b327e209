public import ProbeEvents

/// A signal that probing gives a task.
public enum ProbeSignal: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
  /// SIGTRAP that can be blocked and ignored.
  case trapSent
  /// SIGTRAP that cannot.
  case trapForced
  /// SIGILL that cannot.
  case illegal

  /// The signal's number.
  public var number: Int32 {
    switch self {
    case .trapSent, .trapForced: 5
    case .illegal: 4
    }
  }
}

/// A return that is pending, as far as its probe and its consumers go; what the instance itself holds
/// is in ``UprobeTask``.
public struct PendingReturn: Sendable, Hashable {
  /// The number of the entry, as in ``ReturnInstance/entry``.
  public var entry: UInt64
  /// The probe that was hit.
  public var probe: UprobeIdentity
  /// The sessions that wait.
  public var waiting: [ReturnConsumer]
  /// The hold on the probe. Before 6.13 always by reference.
  public var hold: HybridProbe
}

/// A task of a probed process.
///
/// Kernel: include/linux/uprobes.h `struct uprobe_task`; include/linux/sched.h `struct task_struct`
public struct ProbedTask: Sendable {
  /// The number of its address space.
  public var space: Int
  /// Its user registers.
  public var registers: RegisterFile
  /// The processor state with its condition flags, which arm64 keeps apart from the registers.
  public var processorState: UInt64 = 0
  /// Whether it runs in 32-bit mode.
  public var isCompat: Bool
  /// Whether it has met a probe, and so has a utask.
  public internal(set) var hasUtask = false
  /// Its pending returns.
  public internal(set) var returns = UprobeTask()
  /// What goes with each of them, newest first.
  public internal(set) var pending: [PendingReturn] = []
  /// The timer of their leases.
  public internal(set) var timer = ReturnInstanceTimer()
  /// Its step.
  public var step = SingleStep()
  /// Whether it will look at its probes before it returns to user mode (`TIF_UPROBE`).
  public internal(set) var isNotified = false
  /// Whether it will look at its signals (`TIF_SIGPENDING`).
  public var isSignalPending = false
  /// Whether one of them is fatal.
  public var hasFatalSignal = false
  /// Whether signals wait for the end of a step.
  public internal(set) var hasDeferredSignal = false
  /// The hit that waits for a free slot.
  public internal(set) var waiting: WaitingHit?
  /// The signals that probing gave it, in order.
  public internal(set) var signals: [ProbeSignal] = []
  /// The number of its last entry.
  public internal(set) var lastEntry: UInt64 = 0

  /// A hit whose task sleeps until a slot is free.
  public struct WaitingHit: Sendable, Hashable, BitwiseCopyable {
    /// The probe.
    public var probe: UprobeIdentity
    /// The breakpoint's address.
    public var address: Address
  }

  /// A task of an address space.
  public init(space: Int, registers: RegisterFile = RegisterFile(), isCompat: Bool = false) {
    self.space = space
    self.registers = registers
    self.isCompat = isCompat
  }

  /// Bytes of a word on its stack.
  var wordBytes: Int { isCompat ? 4 : 8 }
}

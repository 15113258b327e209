public import ProbeEvents

/// What one processor remembers while it handles a probe.
///
/// Kernel: `current_kprobe` and `struct kprobe_ctlblk` of asm/kprobes.h, both per processor
public struct KprobeProcessor: Sendable, Hashable {
  /// The probe being handled (`current_kprobe`).
  public internal(set) var running = KprobeRunning.none
  /// How far it is (`kprobe_status`). It keeps its value when the probe is done.
  public internal(set) var status = KprobeStatus.none
  /// What to go back to after a re-entrant hit (`prev_kprobe`). It keeps its value as well.
  public internal(set) var previous: Previous?
  /// x86-64: the flags to set again after the step (`kprobe_saved_flags`); arm64: the masks to
  /// restore (`saved_irqflag`).
  public internal(set) var savedFlags: UInt64 = 0
  /// x86-64: the flags at the hit (`kprobe_old_flags`).
  public internal(set) var oldFlags: UInt64 = 0
  /// arm64, hardware stepping: the address at which the step ends (`ss_ctx`).
  public internal(set) var stepEnd: Address?
  /// arm64, hardware stepping: whether the processor steps (MDSCR.SS).
  public internal(set) var isStepping = false
  /// The member of an aggregate whose handler runs (`kprobe_instance`).
  public internal(set) var instance: KprobeID?
  /// What was running before a return handler.
  var outerRunning = KprobeRunning.none
  /// Where the function tracer's call returns to, while a probe that uses it is handled.
  var ftraceReturn: Address = 0
  /// The handlers that have been called and have not returned, innermost last.
  public internal(set) var calls: [KprobeCall] = []

  /// A processor that has met no probe yet.
  public init() {}

  /// What is put aside during a re-entrant hit.
  public struct Previous: Sendable, Hashable {
    /// The probe.
    public var running: KprobeRunning
    /// How far it was.
    public var status: KprobeStatus
    var savedFlags: UInt64
    var oldFlags: UInt64
  }

  /// Whether the status says that an instruction is being stepped. Kernel's name: kprobe_is_ss().
  var isInStep: Bool {
    switch status {
    case .stepping, .reentered: true
    case .none, .active, .done: false
    }
  }

  /// Kernel: save_previous_kprobe() of the architecture
  mutating func savePrevious() {
    previous = Previous(
      running: running, status: status, savedFlags: savedFlags, oldFlags: oldFlags)
  }

  /// Kernel: restore_previous_kprobe() of the architecture
  mutating func restorePrevious() {
    guard let previous else { return }
    running = previous.running
    status = previous.status
    savedFlags = previous.savedFlags
    oldFlags = previous.oldFlags
  }

  /// Makes the processor count as handling a probe, so that hits are missed instead of handled.
  ///
  /// Kernel: kernel/kprobes.c kprobe_busy_begin()
  public mutating func beginBusy() {
    running = .busy
    status = .active
  }

  /// Ends that.
  ///
  /// Kernel: kernel/kprobes.c kprobe_busy_end()
  public mutating func endBusy() {
    running = .none
  }

  /// What a pre-handler must do that sends the processor elsewhere, where the kernel leaves it to
  /// the handler (see ``KprobeRules/HandledHit``).
  ///
  /// Kernel: include/linux/kprobes.h reset_current_kprobe()
  public mutating func resetRunning() {
    running = .none
  }
}

/// Which probe a processor handles.
public enum KprobeRunning: Sendable, Hashable {
  /// None.
  case none
  /// The one of an entry.
  case entry(KprobeEntryID)
  /// A return probe, whose return handler runs.
  case returnProbe(KprobeID)
  /// None, but it must be left alone.
  case busy
}

/// How far a processor is with the probe it handles.
///
/// Kernel: include/linux/kprobes.h KPROBE_HIT_ACTIVE and the following
public enum KprobeStatus: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
  /// It has handled none yet.
  case none
  /// Pre-handlers run.
  case active
  /// The instruction is stepped.
  case stepping
  /// The same, for a probe that was hit inside of another.
  case reentered
  /// Post-handlers run.
  case done
}

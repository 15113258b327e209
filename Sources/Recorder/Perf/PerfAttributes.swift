import CPerfEvent
import Glibc
import ProbeEvents

/// The `perf_event_attr` of the recorder's events.
///
/// All of them share clock and trailer, because they share rings.
struct PerfAttributes {
  /// Parts of a sample that come after the common ones.
  struct SampleParts: OptionSet {
    let rawValue: UInt64
    static let registers = Self(rawValue: 1 << 12)
    static let stack = Self(rawValue: 1 << 13)
    /// The user frames, as the kernel finds them by frame pointers.
    static let callchain = Self(rawValue: 1 << 5)
  }

  /// IP, TID, TIME, CPU, RAW and IDENTIFIER (`enum perf_event_sample_format`).
  static let commonSampleType: UInt64 =
    1 << 0 | 1 << 1 | 1 << 2 | 1 << 7 | 1 << 10 | 1 << 16

  /// `PERF_FORMAT_LOST`, which older headers lack.
  static let formatLost: UInt64 = 1 << 4

  /// `PERF_SAMPLE_READ`. The side-band event takes no samples, and other records lack that part.
  static let sampleRead: UInt64 = 1 << 4

  /// Registers to sample.
  var registerMask: UInt64
  /// Bytes of stack to sample.
  var stackBytes: UInt32
  /// Size of a ring in bytes.
  var ringBytes: Int
  /// Whether events wait for the next exec of their task. Else they count from the moment they are
  /// open: an event that is enabled later misses the children that its task is just creating
  /// (`kernel/events/core.c inherit_event()` looks at the parent's state first and puts the child on
  /// the parent's list last).
  var waitsForExec: Bool
  /// Whether the kernel counts lost records per event (6.0).
  var countsLost = true
  /// Whether the kernel puts build ids into mapping records (5.12).
  var carriesBuildIDs = true
  /// Whether the side-band event keeps the kernel from exchanging event contexts between tasks
  /// (6.12).
  ///
  /// At a switch between two tasks whose contexts are clones, the kernel exchanges the contexts
  /// instead of the events in them (`kernel/events/core.c perf_event_context_sched_out()`). A uprobe
  /// event then ends up with a task that is not the one it was made for, and when the latter dies,
  /// the breakpoint is taken out of the former (`kernel/trace/trace_uprobe.c uprobe_perf_filter()`
  /// asks for the task it was made for). A context that holds an inherited event with
  /// PERF_SAMPLE_READ is never exchanged, nor is any that inherits it.
  var keepsContexts = true

  /// Bytes in a ring that wake the drainer. An eighth of the ring leaves seven to fill until it comes;
  /// a larger round than this would be out of the caches again before it is encoded.
  static func wakeUpBytes(ringBytes: Int) -> Int { min(ringBytes / 8, 1 << 20) }

  /// The event that owns a ring. It stays disabled.
  var ringOwner: perf_event_attr {
    var attributes = perf_event_attr()
    attributes.size = UInt32(MemoryLayout<perf_event_attr>.size)
    attributes.type = PERF_TYPE_SOFTWARE.rawValue
    attributes.config = UInt64(PERF_COUNT_SW_DUMMY.rawValue)
    attributes.disabled = 1
    attributes.use_clockid = 1
    attributes.clockid = CLOCK_MONOTONIC
    attributes.exclude_kernel = 1
    attributes.watermark = 1
    attributes.wakeup_watermark = UInt32(clamping: Self.wakeUpBytes(ringBytes: ringBytes))
    return attributes
  }

  /// The event that brings mappings, names, forks and exits.
  var sideBand: perf_event_attr {
    var attributes = common
    attributes.type = PERF_TYPE_SOFTWARE.rawValue
    attributes.config = UInt64(PERF_COUNT_SW_DUMMY.rawValue)
    attributes.sample_type = Self.commonSampleType
    if keepsContexts { attributes.sample_type |= Self.sampleRead }
    attributes.mmap = 1
    attributes.mmap2 = 1
    attributes.comm = 1
    attributes.comm_exec = 1
    attributes.task = 1
    if carriesBuildIDs { attributes.build_id = 1 }
    return attributes
  }

  /// A tracepoint event: a dynamic uprobe event or one of the kernel's own.
  func tracepoint(_ id: UInt64, parts: SampleParts) -> perf_event_attr {
    var attributes = common
    attributes.type = PERF_TYPE_TRACEPOINT.rawValue
    attributes.config = id
    attributes.sample_period = 1
    attributes.sample_type = Self.commonSampleType | parts.rawValue
    if parts.contains(.registers) { attributes.sample_regs_user = registerMask }
    if parts.contains(.stack) { attributes.sample_stack_user = stackBytes }
    if parts.contains(.callchain) { attributes.exclude_callchain_kernel = 1 }
    return attributes
  }

  /// A tracepoint event that is there and never counts.
  func anchor(_ id: UInt64) -> perf_event_attr {
    var attributes = perf_event_attr()
    attributes.size = UInt32(MemoryLayout<perf_event_attr>.size)
    attributes.type = PERF_TYPE_TRACEPOINT.rawValue
    attributes.config = id
    attributes.disabled = 1
    return attributes
  }

  /// The event through which a BPF program writes into a CPU's ring, for whatever task runs there.
  var witness: perf_event_attr {
    var attributes = perf_event_attr()
    attributes.size = UInt32(MemoryLayout<perf_event_attr>.size)
    attributes.type = PERF_TYPE_SOFTWARE.rawValue
    attributes.config = UInt64(PERF_COUNT_SW_BPF_OUTPUT.rawValue)
    attributes.sample_period = 1
    attributes.sample_type = Self.commonSampleType
    attributes.sample_id_all = 1
    attributes.use_clockid = 1
    attributes.clockid = CLOCK_MONOTONIC
    attributes.read_format = countsLost ? Self.formatLost : 0
    return attributes
  }

  private var common: perf_event_attr {
    var attributes = perf_event_attr()
    attributes.size = UInt32(MemoryLayout<perf_event_attr>.size)
    attributes.inherit = 1
    attributes.disabled = waitsForExec ? 1 : 0
    attributes.enable_on_exec = waitsForExec ? 1 : 0
    attributes.sample_id_all = 1
    attributes.use_clockid = 1
    attributes.clockid = CLOCK_MONOTONIC
    attributes.read_format = countsLost ? Self.formatLost : 0
    return attributes
  }
}

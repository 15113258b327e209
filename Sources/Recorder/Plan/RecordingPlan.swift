public import ProbeEvents

/// What to record.
public struct RecordingPlan: Sendable, Hashable {
  /// Whom to record.
  public enum Target: Sendable, Hashable {
    /// A command to start, program first; the program is looked up in PATH as a shell does.
    case launch([String])
    /// Running processes, all their threads and all their future children.
    case attach([Int32])
  }

  /// Stack window when nothing else is asked for, in bytes.
  public static let defaultStackBytes: UInt32 = 64
  /// What `PERF_SAMPLE_STACK_USER` can carry: multiples of 8, up to 65,528 bytes.
  public static let stackBytesRange: ClosedRange<UInt32> = 8...65_528

  /// The probes, in the order of the tape's probe table.
  public var probes: [Probe]
  /// Whom to record.
  public var target: Target
  /// Bytes of user stack kept with each hit: a multiple of 8 in ``stackBytesRange``.
  public var stackBytes: UInt32
  /// Pages of each CPU's ring, a power of two; nil for a size that lost nothing in our tests.
  public var ringPages: Int?
  /// Whether breakpoints are put into every process of the host that maps a probed file, and kept
  /// there. Nobody else's hits are recorded, but every process pays for its own; and a program that
  /// looks at its own code or stack may notice. Needed before Linux 6.12 alone, for files that
  /// others than the target have mapped.
  public var hostBreakpoints: Bool
  /// Whether the kernel's own list of pending returns is read at every hit and kept on the tape.
  public var readsWitness: Bool
  /// Whether the kernel's callchain of user frames, made by frame pointers, is read at every hit.
  public var readsCallchain: Bool
  /// Whether the recorder may use what Linux 6.12 brought against lost breakpoints.
  var mayKeepContexts = true

  /// A plan. It is checked by ``Recorder/init(plan:)``.
  public init(
    probes: [Probe], target: Target, stackBytes: UInt32 = Self.defaultStackBytes,
    ringPages: Int? = nil, hostBreakpoints: Bool = false, readsWitness: Bool = false,
    readsCallchain: Bool = false
  ) {
    self.probes = probes
    self.target = target
    self.stackBytes = stackBytes
    self.ringPages = ringPages
    self.hostBreakpoints = hostBreakpoints
    self.readsWitness = readsWitness
    self.readsCallchain = readsCallchain
  }
}

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

  /// A plan. It is checked by ``Recorder/init(plan:)``.
  public init(
    probes: [Probe], target: Target, stackBytes: UInt32 = Self.defaultStackBytes,
    ringPages: Int? = nil
  ) {
    self.probes = probes
    self.target = target
    self.stackBytes = stackBytes
    self.ringPages = ringPages
  }
}

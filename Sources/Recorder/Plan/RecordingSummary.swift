public import ProbeEvents

/// What a recording came to.
public struct RecordingSummary: Sendable, Hashable {
  /// Hits delivered to the sink, of both kinds.
  public var hits: UInt64 { entries + returns }
  /// Entry hits delivered.
  public var entries: UInt64 = 0
  /// Return hits delivered.
  public var returns: UInt64 = 0
  /// Records the kernel dropped because a ring was full, and hits that did not happen because it
  /// took a breakpoint away (at least so many).
  public var lost: UInt64 = 0
  /// How the launched command ended.
  public var targetExit: TargetExit = .unknown
  /// Facts about the kernel observed while recording, after the header was made.
  public var lateFacts: [KernelFact] = []
  /// From when on every hit is there (CLOCK_MONOTONIC nanoseconds): 0 for a launched command.
  public var wholeFrom: UInt64 = 0
  /// CLOCK_MONOTONIC at the end, nanoseconds.
  public var endTime: UInt64 = 0
  /// What went less well than asked, in words for the user.
  public var warnings: [String] = []

  /// Nothing yet.
  public init() {}
}

/// What a recording has come to so far, given about five times a second.
public struct RecordingProgress: Sendable, Hashable {
  /// Hits delivered to the sink.
  public var hits: UInt64
  /// Records the kernel dropped, as far as it has said so.
  public var lost: UInt64
  /// Nanoseconds since the recording began.
  public var elapsed: UInt64
  /// Bytes copied from the rings and not yet given to the sink.
  public var backlogBytes: Int

  /// A state of a recording.
  public init(hits: UInt64, lost: UInt64, elapsed: UInt64, backlogBytes: Int) {
    self.hits = hits
    self.lost = lost
    self.elapsed = elapsed
    self.backlogBytes = backlogBytes
  }
}

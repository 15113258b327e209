public import ProbeEvents

/// What is known when a recording has ended; its presence is what makes a tape complete.
public struct TapeTrailer: Sendable, Hashable {
  /// How the recorded command ended.
  public var targetExit: TargetExit
  /// Entry hits on the tape.
  public var entries: UInt64
  /// Return hits on the tape.
  public var returns: UInt64
  /// Records the kernel dropped.
  public var lost: UInt64
  /// CLOCK_MONOTONIC at the end, nanoseconds.
  public var endTime: UInt64
  /// Facts about the kernel that were observed while recording, after the header was written.
  public var lateFacts: [KernelFact]

  /// A trailer.
  public init(
    targetExit: TargetExit, entries: UInt64, returns: UInt64, lost: UInt64, endTime: UInt64,
    lateFacts: [KernelFact] = []
  ) {
    self.targetExit = targetExit
    self.entries = entries
    self.returns = returns
    self.lost = lost
    self.endTime = endTime
    self.lateFacts = lateFacts
  }
}

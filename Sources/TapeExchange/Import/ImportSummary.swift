/// What an import came to.
public struct ImportSummary: Sendable, Hashable {
  /// Entry hits on the tape.
  public var entries: UInt64
  /// Return hits on the tape.
  public var returns: UInt64
  /// Hits with a stack on the tape, made of perf's callchains.
  public var stacks: UInt64
  /// Records the kernel dropped while perf recorded.
  public var lost: UInt64
  /// Samples dropped because perf wrote them twice, byte for byte.
  public var duplicates: UInt64
  /// Records that do not decode.
  public var malformed: UInt64
  /// Records too far out of order to be put in their place.
  public var late: UInt64
  /// Bytes of the tape.
  public var bytes: UInt64
  /// Where and why the perf.data stops making sense; nil when it is whole. The tape has all that
  /// comes before and is marked incomplete.
  public var cut: String?
  /// What is missing on the tape, a line each.
  public var notes: [String]
}

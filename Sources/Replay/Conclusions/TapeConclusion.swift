import ProbeEvents

/// Everything a replay says about one tape.
public struct TapeConclusion: Sendable, Hashable {
  /// The handler that was fed.
  public var handler: String
  /// The answer.
  public var verdict: Verdict
  /// Why the tape, or a part of it, could not be judged; nil when all of it was.
  public var reason: String?
  /// Entry hits on the tape.
  public var entries: UInt64
  /// Return hits on the tape.
  public var returns: UInt64
  /// Return handlers that the handler says ran.
  public var returnsExpected: UInt64
  /// Records the kernel dropped while recording.
  public var lost: UInt64
  /// Evidence that was held against the handler.
  public var evidence: EvidenceCounts
  /// Hash of the whole conclusion.
  public var digest: String
  /// The first disagreement of each thread, in the order of the tape.
  public var divergences: [Divergence]

  /// The conclusion about a tape that was not replayed, or not to its end.
  public init(
    handler: String, verdict: Verdict, reason: String?, entries: UInt64 = 0, returns: UInt64 = 0,
    returnsExpected: UInt64 = 0, lost: UInt64 = 0, evidence: EvidenceCounts = EvidenceCounts(),
    digest: String = "", divergences: [Divergence] = []
  ) {
    self.handler = handler
    self.verdict = verdict
    self.reason = reason
    self.entries = entries
    self.returns = returns
    self.returnsExpected = returnsExpected
    self.lost = lost
    self.evidence = evidence
    self.digest = digest
    self.divergences = divergences
  }

  /// Hits of both kinds.
  public var hits: UInt64 { entries + returns }
}

/// How many pieces of evidence of each kind were compared.
public struct EvidenceCounts: Sendable, Hashable {
  /// Returns: probe, function, address and order.
  public var returns: UInt64 = 0
  /// Return addresses found at entries: chained or not.
  public var returnSlots: UInt64 = 0
  /// Stack words searched for trampoline addresses.
  public var stackWords: UInt64 = 0
  /// Trampoline addresses found in stack windows and explained.
  public var trampolineWords: UInt64 = 0
  /// Trampoline addresses that lie in no call's slot: copies that the program made.
  public var copiedWords: UInt64 = 0
  /// Signals at the trampoline.
  public var signals: UInt64 = 0
  /// Probed instructions whose effect the next hit shows.
  public var steps: UInt64 = 0
  /// Returns of calls that were entered before recording began.
  public var returnsOfUnseenEntries: UInt64 = 0
  /// Lists of the kernel's own that were read while recording.
  public var witnesses: UInt64 = 0

  /// No evidence.
  public init() {}
}

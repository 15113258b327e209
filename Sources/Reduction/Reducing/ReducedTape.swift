public import Replay

/// A tape made smaller.
public struct ReducedTape: Sendable {
  /// The bytes of the smallest tape found.
  public var tape: [UInt8]
  /// How it diverges.
  public var divergence: Divergence
  /// Its hits, and those of the tape it was made from.
  public var hits: Int, hitsBefore: UInt64
  /// How many tapes were replayed.
  public var candidates: Int
  /// Whether no thread, probe, call or hit of it can be left out; false when it was stopped.
  public var isMinimal: Bool
  /// Whether every candidate was held against the recording kernel's own rules; false where these
  /// do not explain the tape either, so that only the form of a tape decided what is lawful.
  public var hasReference: Bool
}

/// How far a reduction is.
public struct ReductionProgress: Sendable {
  /// Hits of the smallest tape so far.
  public var hits: Int
  /// Tapes replayed so far.
  public var candidates: Int
  /// What is being left out: `threads`, `probes`, `calls`...
  public var phase: String
}

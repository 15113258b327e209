/// Why a tape cannot be reduced.
public enum ReductionError: Error, Sendable, Hashable {
  /// The handler does not diverge on it.
  case noDivergence
  /// The tape cannot be judged with this handler: why.
  case unjudged(String)
  /// No part of the tape diverges in the same way when it is replayed by itself.
  case notRepeatable(String)
  /// The divergence is one from the kernel's own list, which names calls that a smaller tape lacks.
  case ofWitness
  /// The reduction was stopped before anything smaller was found.
  case stoppedEarly
}

extension ReductionError: CustomStringConvertible {
  /// What is wrong and what to do.
  public var description: String {
    switch self {
    case .noDivergence:
      "the handler does not diverge on the tape, so there is nothing to reduce"
    case .unjudged(let reason):
      "the tape cannot be judged with this handler, so there is nothing to reduce: \(reason)"
    case .notRepeatable(let kind):
      "the handler diverges (\(kind)), but not when the tape is replayed again, or ends there"
    case .ofWitness:
      "the handler diverges from a witness, and a smaller tape has none; look at the hit in show"
    case .stoppedEarly: "stopped before anything smaller was found"
    }
  }
}

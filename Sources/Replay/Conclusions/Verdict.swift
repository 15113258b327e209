/// The answer a replay gives.
public enum Verdict: String, Sendable, Hashable, CaseIterable {
  /// The handler explains every piece of evidence on the tape.
  case match
  /// The handler contradicts the evidence.
  case diverged
  /// No contradiction was found, but part of the evidence is missing.
  case unjudged

  /// The verdict on several tapes together: one divergence decides, then one unjudged tape.
  public static func combined(_ verdicts: some Sequence<Verdict>) -> Verdict {
    var worst = Verdict.match
    for verdict in verdicts {
      switch (worst, verdict) {
      case (_, .diverged), (.diverged, _): worst = .diverged
      case (_, .unjudged), (.unjudged, _): worst = .unjudged
      case (.match, .match): worst = .match
      }
    }
    return worst
  }
}

import ProbeEvents
import Replay
import TapeFormat

/// A replay's report for people: a line for each tape, and each divergence with its surroundings.
enum TextReport {
  static func render(_ results: [BatchResult]) -> String {
    var lines: [String] = []
    for result in results {
      lines += render(result)
    }
    if results.count > 1 { lines.append(total(results)) }
    return lines.joined(separator: "\n")
  }

  /// Verdict, counts and digest in one line.
  static func summary(_ conclusion: TapeConclusion) -> String {
    var parts = [
      "\(conclusion.verdict.rawValue): \(conclusion.hits) hits (\(conclusion.entries) entries, "
        + "\(conclusion.returns) returns), handler \(conclusion.handler)",
      "digest \(conclusion.digest)",
    ]
    if conclusion.lost > 0 { parts.append("\(conclusion.lost) lost") }
    if let reason = conclusion.reason { parts.append(reason) }
    return parts.joined(separator: ", ")
  }

  private static func render(_ result: BatchResult) -> [String] {
    switch result.outcome {
    case .failure(let error): return ["\(result.path): unjudged: \(error.description)"]
    case .success(let conclusion):
      var lines = ["\(result.path): \(summary(conclusion))"]
      for divergence in conclusion.divergences {
        lines += render(divergence)
        if let explanation = divergence.explanation {
          lines += ExplanationText.lines(explanation).map { "    " + $0 }
        }
        lines += DivergenceContext.lines(
          path: result.path, divergence: divergence, handler: conclusion.handler)
      }
      return lines
    }
  }

  private static func render(_ divergence: Divergence) -> [String] {
    [
      "  hit \(divergence.hit), thread \(divergence.thread.thread): "
        + "\(divergence.kind.rawValue)",
      "    expected: \(divergence.expected)",
      "    actual:   \(divergence.actual)",
      "    rule:     \(divergence.rule)",
    ]
  }

  private static func total(_ results: [BatchResult]) -> String {
    func count(_ verdict: Verdict) -> Int { results.count { $0.verdict == verdict } }
    return "\(results.count) tapes: \(count(.match)) match, \(count(.diverged)) diverged, "
      + "\(count(.unjudged)) unjudged"
  }
}

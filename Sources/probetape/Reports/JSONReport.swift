import FoundationEssentials
import ProbeEvents
import Replay
import TapeFormat

/// A replay's report as one JSON object.
enum JSONReport {
  private struct Report: Encodable {
    var verdict: String
    var tapes: [Tape]
  }

  private struct Tape: Encodable {
    var tape: String
    var handler: String?
    var verdict: String
    var hits: UInt64
    var entries: UInt64
    var returns: UInt64
    var returnsExpected: UInt64
    var lost: UInt64
    var digest: String?
    var reason: String?
    var evidence: Evidence?
    var divergences: [Disagreement]
  }

  private struct Evidence: Encodable {
    var returns, returnSlots, stackWords, trampolineWords, copiedWords, signals, steps: UInt64
    var returnsOfUnseenEntries, witnesses: UInt64
  }

  private struct Disagreement: Encodable {
    var hit: UInt64
    var thread: Int32
    var `class`: String
    var expected: String
    var actual: String
    var rule: String
    var explanation: Explanation?
  }

  static func render(_ results: [BatchResult]) throws -> String {
    let report = Report(
      verdict: Verdict.combined(results.map(\.verdict)).rawValue, tapes: results.map(tape))
    return try encode(report)
  }

  /// Any value as JSON with sorted keys, so that equal values give equal text.
  static func encode(_ value: some Encodable, isPretty: Bool = true) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting =
      isPretty
      ? [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
      : [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  private static func tape(_ result: BatchResult) -> Tape {
    switch result.outcome {
    case .failure(let error):
      return Tape(
        tape: result.path, verdict: Verdict.unjudged.rawValue, hits: 0, entries: 0, returns: 0,
        returnsExpected: 0, lost: 0, reason: error.description, divergences: [])
    case .success(let conclusion):
      return Tape(
        tape: result.path, handler: conclusion.handler, verdict: conclusion.verdict.rawValue,
        hits: conclusion.hits, entries: conclusion.entries, returns: conclusion.returns,
        returnsExpected: conclusion.returnsExpected, lost: conclusion.lost,
        digest: conclusion.digest, reason: conclusion.reason,
        evidence: evidence(conclusion.evidence),
        divergences: conclusion.divergences.map { divergence in
          Disagreement(
            hit: divergence.hit, thread: divergence.thread.thread,
            class: divergence.kind.rawValue, expected: divergence.expected,
            actual: divergence.actual, rule: divergence.rule,
            explanation: divergence.explanation)
        })
    }
  }

  private static func evidence(_ counts: EvidenceCounts) -> Evidence {
    Evidence(
      returns: counts.returns, returnSlots: counts.returnSlots, stackWords: counts.stackWords,
      trampolineWords: counts.trampolineWords, copiedWords: counts.copiedWords,
      signals: counts.signals,
      steps: counts.steps, returnsOfUnseenEntries: counts.returnsOfUnseenEntries,
      witnesses: counts.witnesses)
  }
}

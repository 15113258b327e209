import Foundation
import ProbeEvents
import Replay
import TapeFormat

/// A conclusion as a judge sends it to its supervisor: one JSON object on one line.
struct ConclusionMessage: Codable {
  struct Disagreement: Codable {
    var hit: UInt64
    var process: Int32
    var thread: Int32
    var kind: String
    var expected: String
    var actual: String
    var rule: String
    var explanation: Explanation?
  }

  var tape: Int
  var handler: String
  var verdict: String
  var reason: String?
  var entries, returns, returnsExpected, lost: UInt64
  var evidence: [UInt64]
  var digest: String
  var divergences: [Disagreement]

  init(tape: Int, _ conclusion: TapeConclusion) {
    self.tape = tape
    handler = conclusion.handler
    verdict = conclusion.verdict.rawValue
    reason = conclusion.reason
    entries = conclusion.entries
    returns = conclusion.returns
    returnsExpected = conclusion.returnsExpected
    lost = conclusion.lost
    let counts = conclusion.evidence
    evidence = [
      counts.returns, counts.returnSlots, counts.stackWords, counts.trampolineWords,
      counts.signals, counts.returnsOfUnseenEntries,
    ]
    digest = conclusion.digest
    divergences = conclusion.divergences.map {
      Disagreement(
        hit: $0.hit, process: $0.thread.process, thread: $0.thread.thread,
        kind: $0.kind.rawValue, expected: $0.expected, actual: $0.actual, rule: $0.rule,
        explanation: $0.explanation)
    }
  }

  var conclusion: TapeConclusion {
    var counts = EvidenceCounts()
    if evidence.count == 6 {
      counts.returns = evidence[0]
      counts.returnSlots = evidence[1]
      counts.stackWords = evidence[2]
      counts.trampolineWords = evidence[3]
      counts.signals = evidence[4]
      counts.returnsOfUnseenEntries = evidence[5]
    }
    return TapeConclusion(
      handler: handler, verdict: Verdict(rawValue: verdict) ?? .unjudged, reason: reason,
      entries: entries, returns: returns, returnsExpected: returnsExpected, lost: lost,
      evidence: counts, digest: digest,
      divergences: divergences.map {
        Divergence(
          hit: $0.hit, thread: ThreadIdentity(process: $0.process, thread: $0.thread),
          kind: DivergenceClass(rawValue: $0.kind) ?? .handlerFaulted, expected: $0.expected,
          actual: $0.actual, rule: $0.rule, explanation: $0.explanation)
      })
  }
}

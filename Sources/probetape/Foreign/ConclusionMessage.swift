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

    init(_ divergence: Divergence) {
      hit = divergence.hit
      process = divergence.thread.process
      thread = divergence.thread.thread
      kind = divergence.kind.rawValue
      expected = divergence.expected
      actual = divergence.actual
      rule = divergence.rule
      explanation = divergence.explanation
    }

    var divergence: Divergence {
      Divergence(
        hit: hit, thread: ThreadIdentity(process: process, thread: thread),
        kind: DivergenceClass(rawValue: kind) ?? .handlerFaulted, expected: expected,
        actual: actual, rule: rule, explanation: explanation)
    }
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
      counts.signals, counts.returnsOfUnseenEntries, counts.witnesses,
      counts.copiedWords,
    ]
    digest = conclusion.digest
    divergences = conclusion.divergences.map(Disagreement.init)
  }

  var conclusion: TapeConclusion {
    var counts = EvidenceCounts()
    if evidence.count == 8 {
      counts.returns = evidence[0]
      counts.returnSlots = evidence[1]
      counts.stackWords = evidence[2]
      counts.trampolineWords = evidence[3]
      counts.signals = evidence[4]
      counts.returnsOfUnseenEntries = evidence[5]
      counts.witnesses = evidence[6]
      counts.copiedWords = evidence[7]
    }
    return TapeConclusion(
      handler: handler, verdict: Verdict(rawValue: verdict) ?? .unjudged, reason: reason,
      entries: entries, returns: returns, returnsExpected: returnsExpected, lost: lost,
      evidence: counts, digest: digest,
      divergences: divergences.map(\.divergence))
  }
}

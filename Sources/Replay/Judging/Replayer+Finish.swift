import HandlerHost
import ProbeEvents
import TapeFormat

extension Replayer where Handler: ~Copyable {
  /// Draws the conclusion after the last block. Without a trailer the tape is incomplete.
  mutating func finish(_ trailer: TapeTrailer?) -> TapeConclusion {
    for slot in 0..<tasks.slotCount { checkNothingOwed(tasks[slot], before: "the tape ends") }
    if let trailer {
      check(trailer)
    } else {
      stopJudging("the tape is incomplete: its recorder was killed or is still running")
    }
    if reason == nil { judgeEnd() }
    if let doubt { stopJudging(doubt) }
    if nextHit == 0 { stopJudging("the tape has no hits") }
    digest.add(entries)
    digest.add(returns)
    digest.add(reason ?? "")
    return TapeConclusion(
      handler: handler.name, verdict: verdict, reason: reason, entries: entries, returns: returns,
      returnsExpected: returnsExpected, lost: lost, evidence: evidence, digest: digest.text,
      divergences: divergences)
  }

  /// What the handler held until the end, it must have given back then.
  private mutating func judgeEnd() {
    handler.finish()
    guard let fault = handler.fault, divergences.isEmpty else { return }
    let divergence = Divergence(
      hit: nextHit, thread: lastThread, kind: .handlerFaulted, expected: fault.expected,
      actual: fault.actual, rule: Rule.possible)
    divergences.append(divergence)
    digest.add(divergence.actual)
  }

  private var verdict: Verdict {
    if !divergences.isEmpty { return .diverged }
    return reason == nil ? .match : .unjudged
  }

  private mutating func check(_ trailer: TapeTrailer) {
    if trailer.entries != entries || trailer.returns != returns {
      stopJudging(
        "the tape has \(nextHit) hits, its trailer says \(trailer.entries + trailer.returns)")
    }
    if trailer.lost > lost {
      lost = trailer.lost
      stopJudging("the kernel dropped \(trailer.lost) records at an unknown place")
    }
    guard reason == nil, let fatal = fatalSignal, fatal.process == launchedProcess else { return }
    guard trailer.targetExit != .killed(fatal.number), trailer.targetExit != .unknown else {
      return
    }
    divergences.append(
      Divergence(
        hit: nextHit, thread: ThreadIdentity(process: fatal.process, thread: fatal.process),
        kind: .wrongExit, expected: "the target to die of signal \(fatal.number)",
        actual: "\(trailer.targetExit)", rule: Rule.fatalSignal))
  }
}

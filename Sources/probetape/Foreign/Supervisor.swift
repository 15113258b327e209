import FoundationEssentials
import HandlerHost
import ProbeEvents
import Replay
import TapeFormat

/// Replays tapes through a foreign handler in processes of their own. Whatever the handler does
/// there, crash, hang or report of a sanitizer, becomes the divergence of one tape at one hit.
struct Supervisor: Sendable {
  /// The library to load.
  var library: String
  /// The handler as the user named it.
  var name: String
  /// The sanitizer's runtime, to be loaded first; nil for an ordinary build.
  var preload: String?
  /// Seconds without progress.
  var timeLimit: Int
  /// Whether divergences are explained.
  var explains: Bool

  /// The conclusions for the tapes, in their order.
  func replay(_ paths: [String]) throws -> [TapeConclusion] {
    var conclusions: [TapeConclusion] = []
    let page = try ProgressPage()
    defer { page.close() }
    while conclusions.count < paths.count {
      // A judge that ended early is replaced by one that goes on behind the tape that ended it.
      try judge(paths, page, &conclusions)
    }
    return conclusions
  }

  /// Feeds one tape and hands every block to `visit`, with what was concluded about its hits and how
  /// many of them there is something to say about: all, but in the block in which a handler ended.
  func annotate(
    _ reader: inout TapeReader, _ path: String,
    visit: (HitColumns, [AnnotatedConclusion], Int) throws -> Void
  ) throws -> TapeConclusion {
    let page = try ProgressPage()
    defer { page.close() }
    var columns = HitColumns()
    var collected: [AnnotatedConclusion] = []
    var judged: UInt64 = 0
    var conclusion: TapeConclusion?
    let end = try watch(arguments(first: 0) + ["--every-hit", "--", path], page) { line in
      switch line {
      case .concluded(let annotated): collected.append(annotated)
      case .endOfBlock:
        guard try Self.readBlock(&reader, &columns) else { return }
        try visit(columns, collected, columns.count)
        judged += UInt64(columns.count)
        collected.removeAll(keepingCapacity: true)
      case .tape(let message): conclusion = message.conclusion
      // The end of the judge says so.
      case .refusal: break
      }
    }
    if let conclusion { return conclusion }
    let ended = self.conclusion(path, hit: page.hit, end)
    guard let divergence = ended.divergences.first, try Self.readBlock(&reader, &columns) else {
      return ended
    }
    collected.append(
      AnnotatedConclusion(
        hit: divergence.hit, depth: collected.last?.depth ?? 0, conclusion: .diverged(divergence)))
    let place = Int(clamping: divergence.hit - min(judged, divergence.hit))
    try visit(columns, collected, min(columns.count, place + 1))
    return ended
  }

  /// Reads to the next block; false when there is none.
  private static func readBlock(
    _ reader: inout TapeReader, _ columns: inout HitColumns
  ) throws -> Bool {
    while true {
      switch try reader.next(into: &columns, selecting: .all) {
      case .block: return true
      case .damage: continue
      case .trailer, .end: return false
      }
    }
  }

  /// Runs one judge; adds at least one conclusion.
  private func judge(
    _ paths: [String], _ page: ProgressPage, _ conclusions: inout [TapeConclusion]
  ) throws {
    let first = conclusions.count
    page.tape = UInt64(first)
    page.hit = 0
    let options = explains ? ["--explains", "--"] : ["--"]
    let end = try watch(arguments(first: first) + options + paths[first...], page) { line in
      switch line {
      case .tape(let message): conclusions.append(message.conclusion)
      // Not asked for here, or said by the end of the judge.
      case .concluded, .endOfBlock, .refusal: break
      }
    }
    guard conclusions.count < paths.count else { return }
    let path = paths[conclusions.count]
    conclusions.append(conclusion(path, hit: page.hit, end))
  }

  private func arguments(first: Int) -> [String] {
    ["probetape", "__judge", "--library", library, "--name", name, "--first", "\(first)"]
  }

  /// How a judge ended.
  private struct JudgeEnd {
    var end: SupervisedProcess.End
    var hasTimedOut: Bool
    /// Why it gave up, when that was its own decision.
    var refusal: String?
    /// What it wrote to standard error.
    var errors: String
  }

  /// Runs one judge to its end, which comes early when it makes no progress, and hands each line it
  /// writes to `take`.
  private func watch(
    _ arguments: [String], _ page: ProgressPage, take: (JudgeLine) throws -> Void
  ) throws -> JudgeEnd {
    let process = try SupervisedProcess(
      path: "/proc/self/exe", arguments: arguments, environment: environment, progress: page)
    do {
      var refusal: String?
      let hasTimedOut = try follow(process, page) { line in
        if case .refusal(let reason) = line { refusal = reason }
        try take(line)
      }
      return JudgeEnd(
        end: process.wait(), hasTimedOut: hasTimedOut, refusal: refusal, errors: process.errors())
    } catch {
      process.kill()
      _ = process.wait()
      throw error
    }
  }

  /// Whether the judge had to be ended.
  private func follow(
    _ process: SupervisedProcess, _ page: ProgressPage, _ take: (JudgeLine) throws -> Void
  ) throws -> Bool {
    var seen = (page.tape, page.hit)
    var deadline = Date.now.addingTimeInterval(Double(timeLimit))
    var hasTimedOut = false
    while let lines = process.lines(milliseconds: 100) {
      for line in lines { try take(try JudgeLine(line)) }
      if seen != (page.tape, page.hit) || !lines.isEmpty {
        seen = (page.tape, page.hit)
        deadline = Date.now.addingTimeInterval(Double(timeLimit))
      } else if Date.now > deadline {
        hasTimedOut = true
        process.kill()
      }
    }
    return hasTimedOut
  }

  private var environment: [String: String] {
    // A crash is expected here: no time is spent on backtraces.
    var variables = ["SWIFT_BACKTRACE": "enable=no"]
    guard let preload else { return variables }
    variables["LD_PRELOAD"] = preload
    variables["ASAN_OPTIONS"] =
      "detect_leaks=0:exitcode=\(Self.sanitizerStatus):abort_on_error=0:verify_asan_link_order=0"
    variables["UBSAN_OPTIONS"] = "exitcode=\(Self.sanitizerStatus):halt_on_error=1"
    return variables
  }

  private static let sanitizerStatus: Int32 = 99

  /// What the end of a judge means for the tape it was at.
  private func conclusion(_ path: String, hit: UInt64, _ end: JudgeEnd) -> TapeConclusion {
    let kind: DivergenceClass
    let actual: String
    switch end.end {
    case _ where end.hasTimedOut:
      kind = .handlerTimedOut
      actual = "no progress for \(timeLimit) s"
    case .exited(Self.sanitizerStatus):
      kind = .handlerFaulted
      actual = SanitizerReport.summary(end.errors)
    case .killed(let signal):
      kind = .handlerCrashed
      actual = "it died of signal \(signal)"
    case .exited(let status):
      // The judge's own errors: a library that does not load, a tape that cannot be read.
      if let reason = end.refusal {
        return TapeConclusion(handler: name, verdict: .unjudged, reason: reason)
      }
      kind = .handlerCrashed
      actual = "it ended its process with status \(status)"
    }
    let divergence = Divergence(
      hit: hit, thread: HitLookup.thread(path, hit: hit), kind: kind,
      expected: "a handler that comes back", actual: actual,
      rule: "a handler ends every call (probe_handler.h)")
    let counts = HitLookup.counts(path)
    return TapeConclusion(
      handler: name, verdict: .diverged, reason: "judging ended at hit \(hit)",
      entries: counts.entries, returns: counts.returns, divergences: [divergence])
  }
}

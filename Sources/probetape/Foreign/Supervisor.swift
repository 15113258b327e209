import Foundation
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

  /// Runs one judge; adds at least one conclusion.
  private func judge(
    _ paths: [String], _ page: ProgressPage, _ conclusions: inout [TapeConclusion]
  ) throws {
    let first = conclusions.count
    page.tape = UInt64(first)
    page.hit = 0
    let process = try SupervisedProcess(
      path: "/proc/self/exe",
      arguments: [
        "probetape", "__judge", "--library", library, "--name", name, "--first", "\(first)", "--",
      ] + paths[first...],
      environment: environment, progress: page)
    var seen = (page.tape, page.hit)
    var deadline = Date.now.addingTimeInterval(Double(timeLimit))
    var hasTimedOut = false
    while let lines = process.lines(milliseconds: 100) {
      for line in lines {
        let message = try JSONDecoder().decode(ConclusionMessage.self, from: Data(line.utf8))
        conclusions.append(message.conclusion)
      }
      if seen != (page.tape, page.hit) || !lines.isEmpty {
        seen = (page.tape, page.hit)
        deadline = Date.now.addingTimeInterval(Double(timeLimit))
      } else if Date.now > deadline {
        hasTimedOut = true
        process.kill()
      }
    }
    let end = process.wait()
    guard conclusions.count < paths.count else { return }
    let path = paths[conclusions.count]
    conclusions.append(
      conclusion(path, hit: page.hit, end, hasTimedOut: hasTimedOut, errors: process.errors()))
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
  private func conclusion(
    _ path: String, hit: UInt64, _ end: SupervisedProcess.End, hasTimedOut: Bool, errors: String
  ) -> TapeConclusion {
    let kind: DivergenceClass
    let actual: String
    switch end {
    case _ where hasTimedOut:
      kind = .handlerTimedOut
      actual = "no progress for \(timeLimit) s"
    case .exited(Self.sanitizerStatus):
      kind = .handlerFaulted
      actual = SanitizerReport.summary(errors)
    case .killed(let signal):
      kind = .handlerCrashed
      actual = "it died of signal \(signal)"
    case .exited(let status):
      // The judge's own errors: a library that does not load, a tape that cannot be read.
      let reason = errors.split(separator: "\n").last.map(String.init)
      return TapeConclusion(
        handler: name, verdict: .unjudged,
        reason: reason?.replacing("Error: ", with: "") ?? "the judge ended with status \(status)")
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

/// Reads a sanitizer's report.
enum SanitizerReport {
  /// What was found, and where: one line.
  static func summary(_ report: String) -> String {
    let lines = report.split(separator: "\n").map(String.init)
    let found = lines.first {
      $0.contains("ERROR: AddressSanitizer") || $0.contains("runtime error:")
    }
    let place = lines.first { $0.hasPrefix("SUMMARY:") }
    let text = [found, place].compactMap { $0 }.map(withoutAddresses).joined(separator: "; ")
    return text.isEmpty ? "a sanitizer ended it" : text
  }

  /// Addresses and process numbers differ from run to run.
  private static func withoutAddresses(_ line: String) -> String {
    line.replacing(#/==\d+==/#, with: "").replacing(#/0x[0-9a-f]+/#, with: "0x…")
  }
}

/// Looks things up on a tape that a judge did not finish.
enum HitLookup {
  /// The thread of a hit; process and thread 0 when there is no such hit.
  static func thread(_ path: String, hit: UInt64) -> ThreadIdentity {
    var first: UInt64 = 0
    var found = ThreadIdentity(process: 0, thread: 0)
    forEachBlock(path) { columns in
      if hit >= first, hit - first < UInt64(columns.count) {
        found = columns.threadTable[Int(columns.threads[Int(hit - first)])]
      }
      first += UInt64(columns.count)
    }
    return found
  }

  /// How many entries and returns a tape has.
  static func counts(_ path: String) -> (entries: UInt64, returns: UInt64) {
    var counts: (entries: UInt64, returns: UInt64) = (0, 0)
    forEachBlock(path) { columns in
      let entries = columns.kinds.count { $0 == .entry }
      counts.entries += UInt64(entries)
      counts.returns += UInt64(columns.count - entries)
    }
    return counts
  }

  private static func forEachBlock(_ path: String, _ body: (HitColumns) -> Void) {
    guard var reader = try? TapeReader(path: path) else { return }
    var columns = HitColumns()
    while let step = try? reader.next(into: &columns, selecting: .judged) {
      switch step {
      case .block: body(columns)
      case .damage: break
      case .trailer, .end: return
      }
    }
  }
}

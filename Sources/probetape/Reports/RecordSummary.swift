import Glibc
import ProbeEvents
import Recorder
import Replay

/// What `record` says at the end.
enum RecordSummary {
  static func text(_ summary: RecordingSummary, _ path: String, _ bytes: UInt64) -> String {
    let each = summary.hits == 0 ? 0 : Double(bytes) / Double(summary.hits)
    var parts = [
      "probetape: \(path): \(summary.hits) hits (\(summary.entries) entries, "
        + "\(summary.returns) returns), \(summary.lost) lost",
      "\(bytes) bytes" + (summary.hits == 0 ? "" : ", \(Decimals.text(each, 1)) a hit"),
    ]
    switch summary.targetExit {
    case .unknown: break
    case .exited, .killed, .running:
      parts.append("target: \(StatReport.describe(summary.targetExit))")
    }
    return parts.joined(separator: "; ")
  }
}

/// The line that shows the rate of a running recording, on a terminal only.
struct RecordingProgressLine {
  private let isShown: Bool

  init(isShown: Bool) {
    self.isShown = isShown && isatty(2) == 1
  }

  /// Shows the state of a recording.
  func show(_ progress: RecordingProgress) {
    guard isShown else { return }
    let seconds = Double(progress.elapsed) / 1e9
    let rate = seconds > 0 ? Double(progress.hits) / seconds : 0
    Console.noteWithoutLineEnd(
      "\r\u{1B}[K\(progress.hits) hits, \(Decimals.text(rate, 0)) hits/s, \(progress.lost) lost, "
        + "\(Decimals.text(seconds, 1)) s")
  }

  /// Takes the line away.
  func end() {
    if isShown { Console.noteWithoutLineEnd("\r\u{1B}[K") }
  }
}

import Foundation
import ProbeEvents
import Recorder

/// What `record` says at the end.
enum RecordSummary {
  static func text(_ summary: RecordingSummary, _ path: String, _ bytes: UInt64) -> String {
    let each = summary.hits == 0 ? 0 : Double(bytes) / Double(summary.hits)
    var parts = [
      "probetape: \(path): \(summary.hits) hits (\(summary.entries) entries, "
        + "\(summary.returns) returns), \(summary.lost) lost",
      "\(bytes) bytes" + (summary.hits == 0 ? "" : String(format: ", %.1f a hit", each)),
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
    let text = String(
      format: "%llu hits, %.0f hits/s, %llu lost, %.1f s", progress.hits, rate, progress.lost,
      seconds)
    Console.noteWithoutLineEnd("\r\u{1B}[K" + text)
  }

  /// Takes the line away.
  func end() {
    if isShown { Console.noteWithoutLineEnd("\r\u{1B}[K") }
  }
}

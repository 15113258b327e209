import Replay
import TapeFormat

/// The hits around a divergence, read from the tape once more: replay itself keeps no history.
enum DivergenceContext {
  /// Hits of the same thread shown before and after.
  static let before: UInt64 = 6
  static let after: UInt64 = 2

  static func lines(path: String, divergence: Divergence, handler: String) -> [String] {
    // A foreign handler is not asked again: the hits are shown as the model explains them.
    let choice = HandlerChoice(handler) ?? .modelOfTape
    guard var reader = try? TapeReader(path: path) else {
      return ["    (the tape can no longer be read to show the surrounding hits)"]
    }
    var text = TapeText(header: reader.header)
    var shown: [String] = []
    var remaining = after
    do {
      _ = try TapeReplay.annotate(&reader, handler: choice) { columns, concluded in
        let isDone = remaining == 0
        let lines = text.lines(columns, concluded, withSideEvents: false) { hit, thread in
          guard !isDone, thread == divergence.thread else { return false }
          if hit > divergence.hit {
            guard remaining > 0 else { return false }
            remaining -= 1
          }
          return true
        }
        shown += lines
        let excess = shown.count - Int(before + 1 + after)
        if excess > 0, remaining == after { shown.removeFirst(excess) }
      }
    } catch {
      return ["    (the tape can no longer be read to show the surrounding hits)"]
    }
    let kept = Int(before + 1 + after - remaining)
    return shown.suffix(kept).map { "    " + $0 }
  }
}

import ProbeEvents
import TapeFormat

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

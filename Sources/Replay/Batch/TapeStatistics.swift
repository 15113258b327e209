import ProbeEvents
public import TapeFormat

/// What a tape holds, without judging it.
public struct TapeStatistics: Sendable, Hashable {
  /// Hits at entries and at returns.
  public var entries: UInt64 = 0, returns: UInt64 = 0
  /// Records the kernel dropped.
  public var lost: UInt64 = 0
  /// Hits of each probe.
  public var hitsOfProbe: [UInt64]
  /// Threads and processes that have hits.
  public var threads = 0, processes = 0
  /// Signals, and mappings, on the tape.
  public var signals: UInt64 = 0
  /// Time of the first and of the last hit, CLOCK_MONOTONIC nanoseconds.
  public var firstTime: UInt64?, lastTime: UInt64?
  /// Places where the tape is damaged.
  public var damages: [TapeDamage] = []
  /// The trailer; nil for a tape that was never finished.
  public var trailer: TapeTrailer?

  /// Hits of both kinds.
  public var hits: UInt64 { entries + returns }
  /// Whether the tape has its trailer and no damage.
  public var isComplete: Bool { trailer != nil && damages.isEmpty }

  /// Reads a whole tape. Throws when it is no tape; damage further in is reported in the result.
  public init(_ reader: inout TapeReader) throws(TapeError) {
    hitsOfProbe = Array(repeating: 0, count: reader.header.probes.count)
    var columns = HitColumns()
    var seen: Set<ThreadIdentity> = []
    reading: while true {
      switch try reader.next(into: &columns, selecting: [.judged, .times]) {
      case .block:
        add(columns)
        for thread in Set(columns.threads) { seen.insert(columns.threadTable[Int(thread)]) }
      case .damage(let damage): damages.append(damage)
      case .trailer(let found):
        trailer = found
        lost = max(lost, found.lost)
        break reading
      case .end: break reading
      }
    }
    threads = seen.count
    processes = Set(seen.map(\.process)).count
  }

  private mutating func add(_ columns: HitColumns) {
    for index in 0..<columns.count {
      switch columns.kinds[index] {
      case .entry: entries += 1
      case .return: returns += 1
      }
      hitsOfProbe[Int(columns.probes[index])] += 1
    }
    for side in columns.sideEvents {
      switch side.event.event {
      case .lost(let hits): lost += hits.count
      case .signal: signals += 1
      case .mapping, .threadName, .fork, .exec, .exit, .attached, .witness: break
      }
    }
    if columns.count > 0 {
      firstTime = firstTime ?? columns.times[0]
      lastTime = columns.times[columns.count - 1]
    }
  }
}

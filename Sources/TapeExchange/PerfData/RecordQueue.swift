/// Brings records into the order in which they happened.
///
/// perf reads one CPU's ring after the other, so a record may come in the file behind later ones of
/// another CPU, though not behind ones of the round of reading after the next: at the end of a round
/// all is in order up to the latest record of the round before
/// (`tools/perf/util/ordered-events.c`). So two rounds are held, which is what the rings hold.
struct RecordQueue {
  /// A record with its place in time.
  struct Entry {
    var key: UInt64
    var time: UInt64
    var cpu: UInt32?
    var event: Int
    var record: PerfRecord

    /// Whether it tells of dropped records. They may have been dropped right after the record before
    /// in the same ring; the record itself was written when there was room again.
    var isLoss: Bool { record.kind == PerfRecord.Kind.lost }
  }

  /// Records that came later than anything that should have come after them was given on.
  private(set) var lateCount: UInt64 = 0

  private var waiting: [Entry] = []
  private var heldBytes = 0
  private var roundMax: UInt64 = 0
  private var horizon: UInt64 = 0
  private var delivered: UInt64 = 0
  /// The latest key of each CPU: within a ring the order is the order, whatever the clock says.
  private var latest: [UInt32: UInt64] = [:]

  /// Bytes that are held at most; then half is given on early, as perf itself does.
  static let bytesMax = 256 << 20

  /// Takes a record in; `key` of the entry is set here.
  mutating func add(_ entry: consuming Entry) {
    entry.key = entry.time
    if let cpu = entry.cpu, entry.isLoss, let before = latest[cpu] {
      entry.key = before
      entry.time = before
    } else if let cpu = entry.cpu {
      entry.key = max(entry.time, latest[cpu] ?? 0)
      latest[cpu] = entry.key
    }
    roundMax = max(roundMax, entry.key)
    heldBytes += entry.record.bytes.count
    waiting.append(entry)
  }

  /// Whether so much is held that some has to go.
  var isFull: Bool { heldBytes > Self.bytesMax }

  /// The records that are in order at the end of a round of reading.
  mutating func takeRound() -> ArraySlice<Entry> {
    defer { horizon = roundMax }
    return take(upTo: horizon)
  }

  /// The earlier half, when too much is held.
  mutating func takeHalf() -> ArraySlice<Entry> {
    sort()
    return take(upTo: waiting.isEmpty ? 0 : waiting[waiting.count / 2].key)
  }

  /// All that is left.
  mutating func takeAll() -> ArraySlice<Entry> {
    take(upTo: .max)
  }

  private mutating func take(upTo limit: UInt64) -> ArraySlice<Entry> {
    sort()
    let count = waiting.firstIndex { $0.key > limit } ?? waiting.count
    let taken = waiting[..<count]
    for entry in taken {
      if entry.key < delivered, !entry.isLoss { lateCount += 1 }
      delivered = max(delivered, entry.key)
      heldBytes -= entry.record.bytes.count
    }
    waiting = Array(waiting[count...])
    return taken
  }

  /// By time; those of one time as they came.
  private mutating func sort() {
    // The standard sort keeps equal elements in order, which its interface does not promise:
    // places are part of the comparison.
    let order = waiting.indices.sorted { left, right in
      (waiting[left].key, left) < (waiting[right].key, right)
    }
    waiting = order.map { waiting[$0] }
  }
}

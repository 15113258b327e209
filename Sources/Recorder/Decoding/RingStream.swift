/// The records of one ring that are not delivered yet, in ring order.
struct RingStream {
  /// The CPU of the ring.
  let cpu: UInt16
  /// The chunk that holds the next record.
  private(set) var chunk: [UInt64] = []
  /// Where the next record starts in ``chunk``.
  private(set) var position = 0
  /// Length of the next record in words.
  private(set) var length = 0
  /// When the next record happened; nil when there is none. Never goes back: within a ring the
  /// order of the records is the order in which they happened, whatever the clock says.
  private(set) var key: UInt64?

  private var waiting: [[UInt64]] = []
  private var lastKey: UInt64 = 0

  /// A ring without records.
  init(cpu: UInt16) {
    self.cpu = cpu
  }

  /// Adds the records of one round.
  mutating func append(_ words: [UInt64]) {
    guard !words.isEmpty else { return }
    waiting.append(words)
    if key == nil { _ = loadNext() }
  }

  /// Goes to the next record; returns a chunk that is done with, if one is.
  mutating func advance() -> [UInt64]? {
    position += length
    guard position >= chunk.count else {
      loadKey()
      return nil
    }
    return loadNext()
  }

  private mutating func loadNext() -> [UInt64]? {
    let done = chunk
    position = 0
    if waiting.isEmpty {
      chunk = []
      key = nil
    } else {
      chunk = waiting.removeFirst()
      loadKey()
    }
    return done.isEmpty ? nil : done
  }

  private mutating func loadKey() {
    let header = chunk[position]
    length = PerfRecord.wordCount(header)
    // The kernel writes whole records only; a length of 0 would make no progress.
    precondition(length > 0 && position + length <= chunk.count, "torn record in a perf ring")
    lastKey = max(lastKey, chunk[position + PerfRecord.timeIndex(header)])
    key = lastKey
  }
}

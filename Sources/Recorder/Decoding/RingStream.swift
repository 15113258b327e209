import TapeFormat

/// The records of one ring that are not delivered yet, in ring order.
struct RingStream {
  /// The CPU of the ring.
  let cpu: UInt16
  /// When the next record happened; nil when there is none. Never goes back: within a ring the
  /// order of the records is the order in which they happened, whatever the clock says.
  private(set) var key: UInt64?

  /// The chunk that holds the next record, and where it starts there.
  private var chunk: [UInt64] = []
  private var position = 0
  /// Chunks after that.
  private var waiting: [[UInt64]] = []
  private var lastKey: UInt64 = 0

  /// A ring without records.
  init(cpu: UInt16) {
    self.cpu = cpu
  }

  /// Adds the records of one round.
  mutating func append(_ words: [UInt64]) {
    guard !words.isEmpty else { return }
    if key == nil {
      chunk = words
      position = 0
      key = loadKey()
    } else {
      waiting.append(words)
    }
  }

  /// Delivers the records up to a time, and gives chunks that are done with to `recycle`. Returns how
  /// many records there were.
  mutating func deliver(
    upTo bound: UInt64, to feeder: inout HitFeeder, _ recycle: ([UInt64]) -> Void
  ) throws(TapeError) -> Int {
    var count = 0
    while let next = key, next <= bound {
      let (delivered, end) = try deliverChunk(from: next, upTo: bound, to: &feeder)
      count += delivered
      key = end
      guard end == nil else { break }
      recycle(chunk)
      chunk = []
      position = 0
      if !waiting.isEmpty { append(waiting.removeFirst()) }
    }
    return count
  }

  /// Delivers records of the chunk. Returns how many, and the next one's key if there is one.
  private mutating func deliverChunk(
    from first: UInt64, upTo bound: UInt64, to feeder: inout HitFeeder
  ) throws(TapeError) -> (Int, UInt64?) {
    // Taken out for as long as it is read, so that nobody counts its owners at each run.
    var taken: [UInt64] = []
    swap(&taken, &chunk)
    defer { swap(&taken, &chunk) }
    let words = taken.span
    var key = first
    var count = 0
    while key <= bound {
      let length = PerfRecord.wordCount(words[position])
      // The kernel writes whole records only; one without length would be read for ever.
      precondition(length > 0, "a torn record in a perf ring")
      try feeder.feed(words.extracting(position..<(position + length)), cpu: cpu, at: key)
      count += 1
      position += length
      guard position < words.count else { return (count, nil) }
      let header = words[position]
      key = advance(to: header, time: words[position + PerfRecord.timeIndex(header)])
    }
    return (count, key)
  }

  private mutating func loadKey() -> UInt64 {
    let header = chunk[position]
    return advance(to: header, time: chunk[position + PerfRecord.timeIndex(header)])
  }

  /// The key of the next record. What was dropped may have been so right after the record before; the
  /// record that tells it has the time at which there was room again, when the ring's threads may
  /// have gone on elsewhere for long.
  ///
  /// Kernel: kernel/events/ring_buffer.c __perf_output_begin()
  private mutating func advance(to header: UInt64, time: UInt64) -> UInt64 {
    if PerfRecord.kind(header) == PerfRecord.Kind.lost, lastKey > 0 { return lastKey }
    lastKey = max(lastKey, time)
    return lastKey
  }
}

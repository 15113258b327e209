import TapeFormat

/// Merges the rings by time.
///
/// A round reads one ring after the other, so a record may miss it although a later one of another
/// ring made it. What happened before the *previous* round began cannot be missed any more: that
/// much is delivered after each round. A thread's records are in order whatever happens: those of
/// one ring keep the ring's order, and between two rings lies the thread's migration.
struct RingMerger {
  /// A record is written within this time after its clock was read (it is interrupted at most by
  /// the hypervisor), nanoseconds.
  static let writingTime: UInt64 = 5_000_000

  private var streams: [RingStream]
  private var previousStart: UInt64 = 0

  /// Merges rings of these CPUs.
  init(cpus: [UInt16]) {
    streams = cpus.map(RingStream.init)
  }

  /// Takes a round in and gives all that is in order by now to the feeder.
  mutating func add(
    _ round: consuming Round, to feeder: inout HitFeeder, recycle: ([UInt64]) -> Void
  ) throws(TapeError) {
    let start = round.start
    let isLast = round.isLast
    for (index, chunk) in round.chunks.enumerated() { streams[index].append(chunk) }
    let horizon = min(previousStart, start - min(start, Self.writingTime))
    previousStart = start
    try emit(upTo: isLast ? .max : horizon, to: &feeder, recycle: recycle)
  }

  private mutating func emit(
    upTo horizon: UInt64, to feeder: inout HitFeeder, recycle: ([UInt64]) -> Void
  ) throws(TapeError) {
    while let (index, limit) = earliest() {
      // Runs of records from one ring are the rule; only their end needs another look at the rest.
      let count = try streams[index].deliver(upTo: min(limit, horizon), to: &feeder, recycle)
      if count == 0 { return }
    }
  }

  /// The ring with the earliest record, and the time up to which it stays that.
  private func earliest() -> (index: Int, limit: UInt64)? {
    var best: (index: Int, key: UInt64)?
    var limit = UInt64.max
    // By index: a stream in hand would be a copy that counts the owners of its chunks.
    for index in streams.indices {
      guard let key = streams[index].key else { continue }
      if let current = best, current.key <= key {
        limit = min(limit, key)
      } else {
        if let current = best { limit = min(limit, current.key) }
        best = (index, key)
      }
    }
    return best.map { ($0.index, limit) }
  }
}

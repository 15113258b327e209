import CPerfEvent
import Synchronization

/// Rounds on their way from the thread that drains to the thread that encodes.
///
/// Draining never waits for encoding: the queue grows, up to a bound beyond which the records stay
/// in the rings and the kernel counts what does not fit.
final class RoundQueue: Sendable {
  /// Bytes of memory that waiting rounds may take.
  static let backlogLimit = 512 << 20

  /// Words that a chunk has room for from the first: twice what makes a ring wake the drainer.
  private let chunkWords: Int
  /// How many emptied chunks are kept. After a flood the rest goes back.
  private let spareLimit: Int

  private struct State {
    var rounds: [Round] = []
    var bytes = 0
    /// Emptied chunks, to be filled again, the youngest last.
    var spare: [[UInt64]] = []
  }

  private let state = Mutex(State())
  private let wakeUp: Descriptor

  /// An empty queue for the records of these rings.
  init(rings: [PerfRing]) throws(SystemFailure) {
    let ringBytes = rings.map(\.dataBytes).max() ?? 0
    chunkWords = 2 * PerfAttributes.wakeUpBytes(ringBytes: ringBytes) / 8
    spareLimit = 16 * rings.count
    wakeUp = Descriptor(try Syscalls.check(cperf_eventfd(), "make an eventfd"))
  }

  /// Bytes that were pushed and are not ``finish(_:)``ed.
  var backlogBytes: Int { state.withLock { $0.bytes } }

  /// Whether another round may be drained.
  var hasRoom: Bool { backlogBytes < Self.backlogLimit }

  /// An empty chunk. Memory that was used before comes first: fresh pages cost more than what is
  /// copied into them.
  func spareChunk() -> [UInt64] {
    if let chunk = state.withLock({ $0.spare.popLast() }) { return chunk }
    var chunk: [UInt64] = []
    chunk.reserveCapacity(chunkWords)
    return chunk
  }

  /// Adds a round.
  func push(_ round: consuming Round) {
    let round = round
    state.withLock { state in
      state.bytes += round.byteCount
      state.rounds.append(round)
    }
    cperf_eventfd_signal(wakeUp.raw)
  }

  /// Takes all waiting rounds; waits for one at most the given time.
  func pop(milliseconds: Int32) -> [Round] {
    if Syscalls.poll([wakeUp.raw], milliseconds: milliseconds)[0] != 0 {
      // Reset before the rounds are taken, so that none is missed.
      cperf_eventfd_clear(wakeUp.raw)
    }
    return state.withLock { state in
      let rounds = state.rounds
      state.rounds = []
      return rounds
    }
  }

  /// A round that was taken is dealt with.
  func finish(_ bytes: Int) {
    state.withLock { $0.bytes -= bytes }
  }

  /// Gives a chunk back.
  func recycle(_ chunk: consuming [UInt64]) {
    var chunk = chunk
    chunk.removeAll(keepingCapacity: true)
    state.withLock { state in
      // One that had to grow came with a flood. An empty one may have no memory at all.
      if state.spare.count < spareLimit, (chunkWords...chunkWords * 2).contains(chunk.capacity) {
        state.spare.append(chunk)
      }
    }
  }
}

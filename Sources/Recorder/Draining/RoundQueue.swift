import CPerfEvent
import Synchronization

/// Rounds on their way from the thread that drains to the thread that encodes.
///
/// Draining never waits for encoding: the queue grows, up to a bound beyond which the records stay
/// in the rings and the kernel counts what does not fit.
final class RoundQueue: Sendable {
  /// Bytes of memory that waiting rounds may take.
  static let backlogLimit = 512 << 20

  /// How many emptied chunks are kept, and up to what size: after a flood the memory goes back. A
  /// round at the highest rate of a CPU is about 2 MiB.
  static let spareLimits = (count: 8, words: 1 << 19)

  private struct State {
    var rounds: [Round] = []
    var bytes = 0
    /// Emptied chunks, to be filled again: fresh memory would cost page faults.
    var spare: [[UInt64]] = []
  }

  private let state = Mutex(State())
  private let wakeUp: Descriptor

  /// An empty queue.
  init() throws(SystemFailure) {
    wakeUp = Descriptor(try Syscalls.check(cperf_eventfd(), "make an eventfd"))
  }

  /// Bytes that were pushed and are not ``finish(_:)``ed.
  var backlogBytes: Int { state.withLock { $0.bytes } }

  /// Whether another round may be drained.
  var hasRoom: Bool { backlogBytes < Self.backlogLimit }

  /// An empty chunk, with capacity where possible.
  func spareChunk() -> [UInt64] {
    state.withLock { $0.spare.popLast() ?? [] }
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
      if state.spare.count < Self.spareLimits.count, chunk.capacity <= Self.spareLimits.words {
        state.spare.append(chunk)
      }
    }
  }
}

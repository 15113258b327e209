import ProbeEvents
import TapeFormat

/// All threads of a tape with a hash of each one's steps.
struct ThreadSequences {
  struct Sequence {
    var identity: ThreadIdentity
    var hash: Int
    var steps: UInt64
  }

  private(set) var threads: [[Int]: Sequence] = [:]

  /// Reads a tape to its end. Memory grows with the number of threads only.
  init(_ tape: inout ComparedTape, _ names: inout ComparedNames) throws(TapeError) {
    while let steps = try tape.next(&names) {
      for placed in steps { add(placed) }
    }
  }

  private mutating func add(_ placed: ComparedTape.Placed) {
    var sequence =
      threads[placed.path] ?? Sequence(identity: placed.identity, hash: 0, steps: 0)
    // Keyed afresh for each process, so no tape can be made to collide with another.
    var hasher = Hasher()
    hasher.combine(sequence.hash)
    hasher.combine(placed.step)
    sequence.hash = hasher.finalize()
    sequence.steps += 1
    threads[placed.path] = sequence
  }
}

import Dispatch
import Synchronization
public import TapeFormat

/// The outcome for one of several tapes.
public struct BatchResult: Sendable {
  /// The tape's path.
  public var path: String
  /// Its conclusion, or why it could not be read.
  public var outcome: Result<TapeConclusion, TapeError>

  /// The outcome for a tape.
  public init(path: String, outcome: Result<TapeConclusion, TapeError>) {
    self.path = path
    self.outcome = outcome
  }

  /// The verdict; a tape that cannot be read is unjudged.
  public var verdict: Verdict {
    switch outcome {
    case .success(let conclusion): conclusion.verdict
    case .failure: .unjudged
    }
  }
}

/// Replays several tapes, some at a time.
public enum TapeBatch {
  /// Feeds each tape to each of the handlers and returns the results in the order of `paths`, then
  /// of `handlers`. The result does not depend on `jobs`.
  public static func replay(
    paths: [String], handlers: [HandlerChoice], jobs: Int
  ) -> [BatchResult] {
    let work = paths.flatMap { path in handlers.map { (path, $0) } }
    let next = Atomic<Int>(0)
    let results = Mutex<[(Int, BatchResult)]>([])
    DispatchQueue.concurrentPerform(iterations: max(1, min(jobs, work.count))) { _ in
      while true {
        // Relaxed: the counter only hands out work, it publishes no data.
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < work.count else { return }
        let (path, handler) = work[index]
        let outcome = Result { () throws(TapeError) in
          try TapeReplay.replay(path: path, handler: handler)
        }
        results.withLock { $0.append((index, BatchResult(path: path, outcome: outcome))) }
      }
    }
    return results.withLock { $0.sorted { $0.0 < $1.0 }.map(\.1) }
  }
}

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
  ) async -> [BatchResult] {
    let work = paths.flatMap { path in handlers.map { (path, $0) } }
    let queue = WorkQueue()
    let lanes = max(1, min(jobs, work.count))
    let indexed = await withTaskGroup(of: [(Int, BatchResult)].self) { group in
      for _ in 0..<lanes {
        group.addTask { run(work, queue) }
      }
      var all: [(Int, BatchResult)] = []
      for await part in group { all += part }
      return all
    }
    return indexed.sorted { $0.0 < $1.0 }.map(\.1)
  }

  private static func run(
    _ work: [(String, HandlerChoice)], _ queue: WorkQueue
  ) -> [(Int, BatchResult)] {
    var results: [(Int, BatchResult)] = []
    while true {
      let index = queue.take()
      guard index < work.count else { return results }
      let (path, handler) = work[index]
      let outcome = Result { () throws(TapeError) in
        try TapeReplay.replay(path: path, handler: handler)
      }
      results.append((index, BatchResult(path: path, outcome: outcome)))
    }
  }
}

/// Hands out the places of a list, each once.
private final class WorkQueue: Sendable {
  private let next = Atomic<Int>(0)

  func take() -> Int {
    // Relaxed: the counter publishes no data.
    next.wrappingAdd(1, ordering: .relaxed).oldValue
  }
}

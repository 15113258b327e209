import Dispatch
import Replay
import Synchronization
import TapeFormat

/// Tests candidates: whether a tape diverges in the wanted way, and is lawful.
final class CandidateTester {
  /// Replays tapes through the handler, in order.
  typealias Judge = ([[UInt8]]) throws -> [TapeConclusion]

  /// Thrown when the user wants to end.
  struct Stopped: Error {}

  private let goal: (kind: DivergenceClass, rule: String)
  private let judge: Judge
  /// Whether the recording kernel's own rules decide what is lawful.
  let hasReference: Bool
  private let isStopped: () -> Bool
  private(set) var candidates = 0

  init(
    goal: Divergence, hasReference: Bool, judge: @escaping Judge, isStopped: @escaping () -> Bool
  ) {
    self.goal = (goal.kind, goal.rule)
    self.hasReference = hasReference
    self.judge = judge
    self.isStopped = isStopped
  }

  /// The first of the tapes that passes, with its divergence.
  func first(of tapes: [[UInt8]]) throws -> (index: Int, divergence: Divergence)? {
    guard !isStopped() else { throw Stopped() }
    candidates += tapes.count
    let conclusions = try judge(tapes)
    // A handler may have died of the user's signal, too: what it said then is worth nothing.
    guard !isStopped() else { throw Stopped() }
    for (index, conclusion) in conclusions.enumerated() {
      guard let found = conclusion.divergences.first, found.kind == goal.kind,
        found.rule == goal.rule
      else { continue }
      if try isLawful(tapes[index]) { return (index, found) }
    }
    return nil
  }

  /// Whether the recording kernel's own rules explain a tape.
  private func isLawful(_ tape: [UInt8]) throws -> Bool {
    guard hasReference else { return true }
    var reader = try TapeReader(bytes: tape)
    return try TapeReplay.replay(&reader, handler: .modelOfTape).verdict != .diverged
  }
}

/// Does some things at a time.
enum Parallel {
  /// The results in order; the first error in order, if there is one.
  static func map<Value: Sendable, Result: Sendable>(
    _ values: [Value], jobs: Int, _ body: @Sendable (Value) throws -> Result
  ) throws -> [Result] {
    if jobs == 1 || values.count < 2 { return try values.map(body) }
    let next = Atomic<Int>(0)
    let done = Mutex<[(Int, Swift.Result<Result, any Error>)]>([])
    DispatchQueue.concurrentPerform(iterations: min(jobs, values.count)) { _ in
      while true {
        // Relaxed: the counter only hands out work, it publishes no data.
        let index = next.wrappingAdd(1, ordering: .relaxed).oldValue
        guard index < values.count else { return }
        let result = Swift.Result { try body(values[index]) }
        done.withLock { $0.append((index, result)) }
      }
    }
    return try done.withLock { $0 }.sorted { $0.0 < $1.0 }.map { try $0.1.get() }
  }
}

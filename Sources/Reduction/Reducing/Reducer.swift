import ProbeEvents
public import Replay
public import TapeFormat

/// Makes the smallest tape on which a handler still diverges in the same class at the same rule.
///
/// First everything behind the divergence (and the chain it is in) goes, then all threads that the diverging one does not
/// descend from, then all calls that were over some hits before; how many hits is enough is found by
/// trying. Out of what is left, threads, probes, whole call trees, single calls and single hits are
/// left out by delta debugging, over and over, until none can be.
///
/// Candidates are lawful tapes: an entry goes with its returns, what remains is patched to look as
/// it would have been recorded without the probe, and, where the recording kernel's own rules
/// explain the tape up to the divergence, they must explain the candidate too.
public final class Reducer {
  /// Replays tapes through the handler, in order.
  public typealias Judge = ([[UInt8]]) throws -> [TapeConclusion]

  private let path: String
  private let jobs: Int
  private let batch: Int
  private let judge: Judge
  private let isStopped: () -> Bool
  private let progress: (ReductionProgress) -> Void

  /// A reducer for the tape at a path.
  ///
  /// - Parameters:
  ///   - jobs: how many tapes are made at a time.
  ///   - batch: how many tapes are given to `judge` at a time. The result depends on neither.
  ///   - judge: replays tapes through the handler and gives their conclusions in order.
  ///   - isStopped: whether the user wants the best so far.
  public init(
    path: String, jobs: Int, batch: Int, judge: @escaping Judge,
    isStopped: @escaping () -> Bool = { false },
    progress: @escaping (ReductionProgress) -> Void = { _ in }
  ) {
    precondition(jobs > 0 && batch > 0)
    self.path = path
    self.jobs = jobs
    self.batch = batch
    self.judge = judge
    self.isStopped = isStopped
    self.progress = progress
  }

  /// Replays candidates through our model, in memory.
  public static func judge(_ handler: HandlerChoice, jobs: Int) -> Judge {
    { tapes in
      try Parallel.map(tapes, jobs: jobs) { tape in
        var reader = try TapeReader(bytes: tape)
        return try TapeReplay.replay(&reader, handler: handler)
      }
    }
  }

  /// Reduces the tape.
  ///
  /// - Parameters:
  ///   - conclusion: the handler's on the whole tape.
  ///   - step: the stamp for the new tape.
  /// - Throws: ``ReductionError``, ``TapeError``, or what `judge` throws.
  public func reduce(_ conclusion: TapeConclusion, step: TapeDerivation) throws -> ReducedTape {
    guard let goal = conclusion.divergences.first else {
      throw conclusion.reason.map(ReductionError.unjudged) ?? .noDivergence
    }
    guard goal.kind != .witnessMismatch else { throw ReductionError.ofWitness }
    let own = try TapeReplay.replay(path: path, handler: .modelOfTape)
    let hasReference = own.divergences.first.map { $0.hit > goal.hit } ?? true
    let tester = CandidateTester(
      goal: goal, hasReference: hasReference, judge: judge, isStopped: isStopped)
    do {
      var search = try start(goal, tester)
      var isMinimal = true
      do {
        try search.run()
      } catch is CandidateTester.Stopped {
        isMinimal = false
      }
      let tape = try search.finish(step: step)
      return ReducedTape(
        tape: tape, divergence: search.divergence, hits: search.hitCount,
        hitsBefore: conclusion.hits, candidates: tester.candidates, isMinimal: isMinimal,
        hasReference: hasReference)
    } catch is CandidateTester.Stopped {
      throw ReductionError.stoppedEarly
    }
  }

  /// The smallest excerpt that diverges, by powers of eight.
  private func start(_ goal: Divergence, _ tester: CandidateTester) throws -> ReductionSearch {
    let loader = try ExcerptLoader(path: path, hit: goal.hit, thread: goal.thread)
    var wanted = 64
    while true {
      for withOthers in [false, true] {
        progress(
          ReductionProgress(hits: wanted, candidates: tester.candidates, phase: "last hits"))
        let excerpt = try loader.load(last: wanted, withOthers: withOthers)
        for words in [excerpt.narrowWindow, nil] {
          let tape = try excerpt.tape(keeping: excerpt.choices, windowWords: words)
          guard let passed = try tester.first(of: [tape]) else { continue }
          return ReductionSearch(
            excerpt: excerpt, windowWords: words, divergence: passed.divergence, tester: tester,
            jobs: jobs, batch: batch, progress: progress)
        }
      }
      guard UInt64(wanted) <= goal.hit else {
        throw ReductionError.notRepeatable(goal.kind.rawValue)
      }
      wanted *= 8
    }
  }
}

extension Excerpt {
  /// The words of each window without which nothing can be judged: the return address, unless it is
  /// in the link register.
  fileprivate var narrowWindow: Int {
    header.kernel.architecture.registerLayout.linkRegister == nil ? 1 : 0
  }
}

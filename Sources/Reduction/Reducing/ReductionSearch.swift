import ProbeEvents
import Replay
import TapeFormat

/// The search for the smallest tape among those that an excerpt gives.
struct ReductionSearch {
  /// What is left out at once.
  private enum Level: Hashable {
    case threads, probes
    case trees(depth: Int)
    case calls, hits

    var name: String {
      switch self {
      case .threads: "threads"
      case .probes: "probes"
      case .trees: "call trees"
      case .calls: "calls"
      case .hits: "hits"
      }
    }
  }

  private let excerpt: Excerpt
  private let windowWords: Int?
  private let tester: CandidateTester
  private let jobs: Int
  private let batch: Int
  private let progress: (ReductionProgress) -> Void
  /// What is kept of the excerpt, by place: the best so far.
  private var kept: [Int]
  /// How the best so far diverges.
  private(set) var divergence: Divergence

  init(
    excerpt: Excerpt, windowWords: Int?, divergence: Divergence, tester: CandidateTester, jobs: Int,
    batch: Int, progress: @escaping (ReductionProgress) -> Void
  ) {
    self.excerpt = excerpt
    self.windowWords = windowWords
    self.divergence = divergence
    self.tester = tester
    self.jobs = jobs
    self.batch = batch
    self.progress = progress
    kept = excerpt.choices
  }

  /// Hits of the best so far.
  var hitCount: Int { kept.count - excerpt.signals.count { kept.contains($0) } }

  /// Leaves out what can be left out, until nothing can.
  mutating func run() throws {
    while true {
      let before = kept.count
      try leaveOut(.threads)
      try leaveOut(.probes)
      for depth in 0...(excerpt.calls.map(\.depth).max() ?? 0) {
        try leaveOut(.trees(depth: depth))
      }
      try leaveOut(.calls)
      try leaveOut(.hits)
      if kept.count == before { return }
    }
  }

  /// The best so far as a tape, without probes and mappings that nothing on it needs.
  mutating func finish(step: TapeDerivation) throws -> [UInt8] {
    let tidy = TidiedTape(excerpt, kept: kept, windowWords: windowWords, step: step)
    let tape = try tidy.tape(isBare: true)
    // Where the handler looks at the numbers of probes, they stay; and after the user wants to end,
    // nothing is tried any more.
    do {
      if let passed = try tester.first(of: [tape]) {
        divergence = passed.divergence
        return tape
      }
    } catch is CandidateTester.Stopped {}
    return try tidy.tape(isBare: false)
  }

  private mutating func leaveOut(_ level: Level) throws {
    let groups = groups(level)
    guard groups.count > 1 || (groups.count == 1 && groups[0].count < kept.count) else { return }
    progress(
      ReductionProgress(hits: hitCount, candidates: tester.candidates, phase: level.name))
    // What belongs to no group stays.
    let grouped = Set(groups.joined())
    let base = kept.filter { !grouped.contains($0) }
    var best = (kept: kept, divergence: divergence)
    defer { (kept, divergence) = best }
    _ = try DeltaDebugging(batch: batch).minimize(Array(groups.indices)) { candidates in
      let choices = candidates.map { units in
        Set(base).union(units.flatMap { groups[$0] }).sorted()
      }
      let (excerpt, windowWords) = (excerpt, windowWords)
      let tapes = try Parallel.map(choices, jobs: jobs) {
        try excerpt.tape(keeping: $0, windowWords: windowWords)
      }
      guard let passed = try tester.first(of: tapes) else { return nil }
      best = (choices[passed.index], passed.divergence)
      return passed.index
    }
  }

  /// What is kept, in groups that go together; what cannot go at this level is in none.
  private func groups(_ level: Level) -> [[Int]] {
    let isKept = Set(kept)
    func remaining(_ call: Excerpt.Call) -> [Int] { call.hits.filter { isKept.contains($0) } }
    switch level {
    case .threads: return grouped(remaining) { $0.thread }
    case .probes: return grouped(remaining) { $0.probe }
    case .trees(let depth): return trees(depth, remaining)
    case .calls:
      // Without the kernel's own rules, nothing says whether a signal can be done without.
      let signals = tester.hasReference ? excerpt.signals.filter { isKept.contains($0) } : []
      return excerpt.calls.map(remaining).filter { !$0.isEmpty } + signals.map { [$0] }
    case .hits:
      // A call without its return was left by a jump; whether it can have been, the rules say.
      guard tester.hasReference else { return [] }
      return excerpt.calls.flatMap { call in
        remaining(call).filter { $0 != call.hits[0] }.map { [$0] }
      }
    }
  }

  private func grouped<Key: Hashable>(
    _ remaining: (Excerpt.Call) -> [Int], by key: (Excerpt.Call) -> Key
  ) -> [[Int]] {
    var order: [Key] = []
    var groups: [Key: [Int]] = [:]
    for call in excerpt.calls {
      let hits = remaining(call)
      if hits.isEmpty { continue }
      if groups[key(call)] == nil { order.append(key(call)) }
      groups[key(call), default: []] += hits
    }
    return order.map { groups[$0] ?? [] }
  }

  /// The calls at a depth, each with all calls in it.
  private func trees(_ depth: Int, _ remaining: (Excerpt.Call) -> [Int]) -> [[Int]] {
    var root = [Int?](repeating: nil, count: excerpt.calls.count)
    var groups: [Int: [Int]] = [:]
    for (index, call) in excerpt.calls.enumerated() where call.depth >= depth {
      // Parents come before their children.
      root[index] = call.depth == depth ? index : call.parent.flatMap { root[$0] }
      if let root = root[index] { groups[root, default: []] += remaining(call) }
    }
    return groups.sorted { $0.key < $1.key }.map(\.value).filter { !$0.isEmpty }
  }
}

/// A binary search for the commit that changed an answer, over a graph of commits.
///
/// The graph has the commits behind the older end, up to the newer end. A commit is `old` when it
/// answers like the older end, `new` when like the newer one. What `git bisect` does, without its
/// working tree.
public struct Bisection: Sendable {
  /// What a test of one commit said.
  public enum Answer: String, Sendable, Hashable, CaseIterable {
    case old, new
    /// It could not be tested.
    case skip
  }

  /// What is known at the end.
  public enum Outcome: Sendable, Hashable {
    /// The first commit that answers like the newer end.
    case first(String)
    /// It is one of these; skips hide which one.
    case oneOf([String])
  }

  private let graph: CommitGraph
  /// Commits among which the one in question is: all behind the best known new one that are not
  /// behind an old one.
  private var remaining: Set<Int>
  /// The oldest commit known to be new.
  private var newest: Int
  private var skipped: Set<Int> = []

  /// A search in a graph whose one tip is known to be new; nil for a graph without a single tip.
  public init?(_ graph: CommitGraph) {
    let tips = graph.tips
    guard tips.count == 1, let tip = tips.first else { return nil }
    self.graph = graph
    newest = tip
    remaining = graph.ancestors(of: tip)
  }

  /// How many commits are still in question.
  public var remainingCount: Int { remaining.count }

  /// The commit to test next: the one whose answer halves the rest best. Nil when testing has
  /// nothing left to say.
  public var next: String? {
    let candidates = remaining.filter { $0 != newest && !skipped.contains($0) }
    let total = remaining.count
    let best = candidates.map { place in
      let behind = graph.ancestors(of: place).intersection(remaining).count
      return (gain: min(behind, total - behind), place: place)
    }
    // Among equals the newer, so that the order of tests does not depend on hashing.
    return best.max { ($0.gain, -$0.place) < ($1.gain, -$1.place) }.map {
      graph.commits[$0.place]
    }
  }

  /// Takes the answer for a commit. Names that are not in the graph change nothing.
  public mutating func record(_ commit: String, _ answer: Answer) {
    guard let place = graph.commits.firstIndex(of: commit) else { return }
    switch answer {
    case .old: remaining.subtract(graph.ancestors(of: place))
    case .new where remaining.contains(place):
      remaining.formIntersection(graph.ancestors(of: place))
      newest = place
    case .new: break
    case .skip: skipped.insert(place)
    }
  }

  /// What is known when ``next`` is nil.
  public var outcome: Outcome? {
    guard next == nil else { return nil }
    if remaining.count == 1 { return .first(graph.commits[newest]) }
    return .oneOf(remaining.sorted(by: >).map { graph.commits[$0] })
  }
}

/// The commits in question, as `git rev-list --parents` prints them: each with its parents, newest
/// first.
public struct CommitGraph: Sendable, Hashable {
  /// Names of the commits, children before parents.
  public let commits: [String]
  /// For each commit, the places of those of its parents that are in question too.
  let parents: [[Int]]

  /// A graph from lines of `COMMIT PARENT...`. Parents that have no line of their own lie outside.
  public init(lines: [String]) {
    let words = lines.map { $0.split(separator: " ").map(String.init) }.filter { !$0.isEmpty }
    commits = words.map { $0[0] }
    var places: [String: Int] = [:]
    for (place, name) in commits.enumerated() { places[name] = place }
    parents = words.map { $0.dropFirst().compactMap { places[$0] } }
  }

  /// A commit and everything it is built on, as places.
  func ancestors(of place: Int) -> Set<Int> {
    var found: Set<Int> = [place]
    var work = [place]
    while let next = work.popLast() {
      for parent in parents[next] where found.insert(parent).inserted { work.append(parent) }
    }
    return found
  }

  /// The commits that no other is built on.
  var tips: [Int] {
    let built = Set(parents.flatMap { $0 })
    return commits.indices.filter { !built.contains($0) }
  }
}

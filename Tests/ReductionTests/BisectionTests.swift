import Reduction
import Testing

@Suite struct BisectionTests {
  /// A straight history, newest first, as git lists it.
  private static func line(_ count: Int) -> CommitGraph {
    CommitGraph(
      lines: (0..<count).reversed().map { $0 == 0 ? "c0 base" : "c\($0) c\($0 - 1)" })
  }

  /// Searches a graph whose commits from `first` on are new; counts the tests.
  private func search(
    _ graph: CommitGraph, isNew: (String) -> Bool, cannotTest: Set<String> = []
  ) throws -> (Bisection.Outcome?, Int) {
    var bisection = try #require(Bisection(graph))
    var tests = 0
    while let commit = bisection.next {
      tests += 1
      bisection.record(
        commit, cannotTest.contains(commit) ? .skip : isNew(commit) ? .new : .old)
    }
    return (bisection.outcome, tests)
  }

  @Test("every place in a straight history is found, in a logarithm of tests")
  func straight() throws {
    for wanted in 0..<50 {
      let (outcome, tests) = try search(Self.line(50)) { number($0) >= wanted }
      #expect(outcome == .first("c\(wanted)"))
      #expect(tests <= 6)
    }
  }

  @Test("a commit on a side branch is found behind its merge")
  func merged() throws {
    // m joins the main line a-b-c and the side s1-s2, which brings the change.
    let graph = CommitGraph(
      lines: ["m c s2", "c b", "b a", "s2 s1", "s1 a", "a base"])
    let new: Set<String> = ["m", "s1", "s2"]
    let (outcome, _) = try search(graph) { new.contains($0) }
    #expect(outcome == .first("s1"))
  }

  @Test("skips that hide the commit give the range, and skips elsewhere do no harm")
  func skips() throws {
    let (hidden, _) = try search(
      Self.line(10), isNew: { number($0) >= 5 }, cannotTest: ["c4", "c5"])
    #expect(hidden == .oneOf(["c4", "c5", "c6"]))
    let (found, _) = try search(
      Self.line(10), isNew: { number($0) >= 5 }, cannotTest: ["c1", "c8"])
    #expect(found == .first("c5"))
  }

  @Test("a history with two ends has no answer")
  func twoTips() {
    #expect(Bisection(CommitGraph(lines: ["x a", "y a", "a base"])) == nil)
  }

  @Test("a log goes on from its whole lines, and only for its own question")
  func log() throws {
    var log = BisectionLog(question: "good a bad b tape")
    var text = log.header
    text += log.add("c1", .old, note: "")
    text += log.add("c2", .skip, note: "does not compile")
    let resumed = try #require(BisectionLog(text + "c3 ne", question: log.question))
    #expect(resumed == log)
    #expect(resumed.answer(for: "c2") == .skip)
    #expect(resumed.answer(for: "c3") == nil)
    #expect(BisectionLog(text, question: "good a bad x tape") == nil)
  }
}

/// The number in a commit's name.
private func number(_ commit: String) -> Int { Int(commit.dropFirst()) ?? -1 }

import ArgumentParser
import FoundationEssentials
import HandlerHost
import Reduction
import Replay
import SystemPackage
import TapeFormat

extension Probetape {
  /// `probetape bisect`: which commit of a kernel changed what tapes say.
  struct Bisect: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "bisect",
      abstract: "Find the commit of a kernel repository from which on tapes diverge, or match.",
      discussion: """
        Replays the tapes through the return-probe code of revisions between --good, where all \
        match, and --bad, where one diverges. When --bad is the older of the two, the commit that \
        fixed it is searched for. Only commits that touch the files in question are tested; those \
        that cannot be built are skipped.

        Exit status: 0 when the commit was found, 125 when it was not.
        """)

    @Option(help: ArgumentHelp("The git repository.", valueName: "dir"))
    var repo: String

    @Option(help: ArgumentHelp("A revision at which all tapes match.", valueName: "rev"))
    var good: String

    @Option(help: ArgumentHelp("A revision at which a tape diverges.", valueName: "rev"))
    var bad: String

    @Option(
      help: ArgumentHelp(
        "Keep the answers here, and go on from them when it is there already.", valueName: "file"))
    var log: String?

    @Option(name: .short, help: ArgumentHelp("How many tapes at a time.", valueName: "jobs"))
    var jobs: Int = Processors.count

    @OptionGroup var foreign: ForeignOptions

    @Argument(help: ArgumentHelp("Tapes, or directories of tapes.", valueName: "tape"))
    var tapes: [String]

    func validate() throws {
      guard jobs > 0 else { throw ValidationError("-j takes a number from 1 upwards.") }
      guard !tapes.isEmpty else { throw ValidationError("Name at least one tape.") }
    }

    func run() throws {
      let paths = try TapePaths.expand(tapes)
      do {
        var search = try KernelBisection(self, paths)
        try Console.print(try search.run())
      } catch let error as KernelSourceError {
        Console.note("probetape: \(error.description)")
        throw ExitCode(125)
      } catch let error as BisectionError {
        Console.note("probetape: \(error.description)")
        throw ExitCode(125)
      }
    }
  }
}

/// Why a bisection cannot begin.
enum BisectionError: Error, CustomStringConvertible {
  /// An end does not answer as it was said to.
  case wrongEnd(revision: String, said: String, found: String)
  case endNotJudged(revision: String, reason: String)
  case unrelated(String, String)
  case noCommits
  case severalTips

  var description: String {
    switch self {
    case .wrongEnd(let revision, let said, let found):
      "\(revision) was said to be \(said), but the tapes \(found) there"
    case .endNotJudged(let revision, let reason):
      "\(revision) cannot be judged: \(reason)"
    case .unrelated(let good, let bad):
      "neither of \(good) and \(bad) is built on the other: name a common ancestor"
    case .noCommits:
      "no commit between the two touches the return-probe files"
    case .severalTips:
      "the history between the two has more than one end: name a single branch"
    }
  }
}

/// One bisection at work.
struct KernelBisection {
  private let command: Probetape.Bisect
  private let paths: [String]
  private let history: KernelHistory
  private let good: String, bad: String
  /// Whether the diverging end is the newer one.
  private let isRegression: Bool
  private var log: BisectionLog

  init(_ command: Probetape.Bisect, _ paths: [String]) throws {
    self.command = command
    self.paths = paths
    history = KernelHistory(directory: command.repo)
    good = try history.commit(command.good)
    bad = try history.commit(command.bad)
    if try history.isAncestor(good, of: bad) {
      isRegression = true
    } else if try history.isAncestor(bad, of: good) {
      isRegression = false
    } else {
      throw BisectionError.unrelated(command.good, command.bad)
    }
    let question =
      "good \(good) bad \(bad) \(command.foreign.sanitize ? "sanitized " : "")"
      + paths.joined(separator: " ")
    log = BisectionLog(question: question)
    try resume(question)
  }

  /// Searches; returns the report.
  mutating func run() throws -> String {
    try checkEnd(good, command.good, isBad: false)
    try checkEnd(bad, command.bad, isBad: true)
    let (older, newer) = isRegression ? (good, bad) : (bad, good)
    let graph = CommitGraph(lines: try history.commits(from: older, to: newer))
    guard !graph.commits.isEmpty else { throw BisectionError.noCommits }
    guard var search = Bisection(graph) else { throw BisectionError.severalTips }
    while let commit = search.next {
      let answer = try self.answer(commit)
      search.record(commit, answer)
      Console.note(
        "\(word(answer)): \(try history.subject(commit)) (\(search.remainingCount) left)")
    }
    switch search.outcome {
    case .first(let commit): return try report(commit)
    case .oneOf(let commits):
      let lines = try commits.map { "  " + (try history.subject($0)) }
      Console.note("probetape: the others could not be judged")
      try Console.print(
        "The first \(isRegression ? "bad" : "fixed") commit is one of:\n"
          + lines.joined(separator: "\n"))
      throw ExitCode(125)
    case nil: throw BisectionError.noCommits
    }
  }

  private mutating func resume(_ question: String) throws {
    guard let path = command.log else { return }
    if let text = try? String(contentsOfFile: path, encoding: .utf8),
      let known = BisectionLog(text, question: question)
    {
      log = known
      // A line that was cut short must not become the beginning of the next.
      if let end = text.lastIndex(of: "\n"), text.index(after: end) != text.endIndex {
        try String(text[...end]).write(toFile: path, atomically: true, encoding: .utf8)
      }
      Console.note("resuming from \(path): \(known.answers.count) answers")
    } else {
      try log.header.write(toFile: path, atomically: true, encoding: .utf8)
    }
  }

  private func checkEnd(_ commit: String, _ name: String, isBad: Bool) throws {
    let results = replay(commit)
    switch Verdict.combined(results.map(\.verdict)) {
    case .unjudged:
      throw BisectionError.endNotJudged(revision: name, reason: reason(results))
    case .match where isBad:
      throw BisectionError.wrongEnd(revision: name, said: "bad", found: "match")
    case .diverged where !isBad:
      throw BisectionError.wrongEnd(revision: name, said: "good", found: "diverge")
    case .match, .diverged: break
    }
  }

  private mutating func answer(_ commit: String) throws -> Bisection.Answer {
    if let known = log.answer(for: commit) { return known }
    let results = replay(commit)
    let answer: Bisection.Answer
    var note = ""
    switch Verdict.combined(results.map(\.verdict)) {
    case .unjudged:
      answer = .skip
      note = reason(results)
      Console.note("skipping \(commit.prefix(12)): \(note)")
    case .diverged: answer = isRegression ? .new : .old
    case .match: answer = isRegression ? .old : .new
    }
    let line = log.add(commit, answer, note: note)
    if let path = command.log { try append(line, to: path) }
    return answer
  }

  private func append(_ line: String, to path: String) throws {
    let file = try FileDescriptor.open(
      FilePath(path), .writeOnly, options: [.append, .closeOnExec])
    try file.closeAfter { _ = try file.writeAll(line.utf8) }
  }

  private func replay(_ commit: String) -> [BatchResult] {
    ForeignBatch(
      source: .kernel(KernelTree(directory: command.repo, revision: commit)),
      options: command.foreign
    ).replay(paths, jobs: command.jobs)
  }

  private func reason(_ results: [BatchResult]) -> String {
    for result in results {
      switch result.outcome {
      case .failure(let error): return "\(result.path): \(error.description)"
      case .success(let conclusion):
        if conclusion.verdict == .unjudged, let reason = conclusion.reason { return reason }
      }
    }
    return "no reason given"
  }

  /// A word as a shell takes it.
  private func quoted(_ word: String) -> String {
    let isPlain = word.allSatisfy { $0.isLetter || $0.isNumber || "/._-+:@^,=".contains($0) }
    return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }

  private func word(_ answer: Bisection.Answer) -> String {
    switch (answer, isRegression) {
    case (.skip, _): "skip"
    case (.old, true), (.new, false): "good"
    case (.new, true), (.old, false): "bad"
    }
  }

  /// The commit, and what it changed about which tape.
  private func report(_ commit: String) throws -> String {
    let subject = try history.subject(commit)
    var lines = ["The first \(isRegression ? "bad" : "fixed") commit is \(commit)", "  \(subject)"]
    // A fix shows in what its parent still did.
    let shown = isRegression ? commit : "\(commit)^"
    let diverged = replay(shown).filter { $0.verdict == .diverged }
    if let first = diverged.first { lines.append(TextReport.render([first])) }
    let tape = diverged.first?.path ?? paths[0]
    let sanitize = command.foreign.sanitize ? "--sanitize " : ""
    lines.append(
      "Repeat it: probetape replay \(sanitize)--handler "
        + "\(quoted("kernel:\(command.repo)@\(shown)")) \(quoted(tape))")
    return lines.joined(separator: "\n")
  }
}

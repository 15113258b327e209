import ArgumentParser
import HandlerHost
import KernelModel
import Replay
import TapeFormat

extension Probetape {
  /// `probetape matrix`: each tape against the rules of every epoch.
  struct Matrix: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "matrix",
      abstract: "Replay each tape under the rules of every epoch of kernels.",
      discussion: """
        A cell is `=` for a match, the number of the first hit that differs, or `?` where the tape \
        could not be judged. The exit status is that of each tape under its own kernel's rules. What \
        no tape of return probes shows (registration, how instructions take effect, kprobes) is \
        listed by --rules, a line for each rule that differs between epochs.
        """)

    @Flag(help: "The rules outside the return instances, by epoch and architecture; no tapes.")
    var rules = false

    @Flag(help: "One JSON object per tape, in an array.")
    var json = false

    @Option(
      help: ArgumentHelp(
        "Also replay through this kernel's own code; may be repeated.", valueName: "dir[@rev]"))
    var kernel: [String] = []

    @OptionGroup var foreign: ForeignOptions

    @Option(name: .short, help: ArgumentHelp("How many replays at a time.", valueName: "jobs"))
    var jobs: Int = Processors.count

    @Argument(help: ArgumentHelp("Tapes, or directories of tapes.", valueName: "tape"))
    var tapes: [String] = []

    func validate() throws {
      guard jobs > 0 else { throw ValidationError("-j takes a number from 1 upwards.") }
      guard rules == tapes.isEmpty else {
        throw ValidationError("Give either tapes or --rules.")
      }
    }

    func run() throws {
      if rules {
        try Console.print(json ? try RuleReport.json() : RuleReport.text())
        return
      }
      let paths = try TapePaths.expand(tapes)
      let rows = EpochMatrix.rows(paths: paths, jobs: jobs)
      let kernels = kernel.map { name in
        let results = ForeignBatch(source: .kernel(KernelTree(name)), options: foreign)
          .replay(paths, jobs: jobs)
        noteRefusal(name, results)
        return results.map { try? $0.outcome.get() }
      }
      if json {
        let all = rows.indices.map { row in MatrixRow(rows[row], kernels.map { $0[row] }) }
        try Console.print(try JSONReport.encode(all))
      } else {
        try Console.print(text(rows, kernels))
      }
      let verdicts = rows.map { (try? $0.own.get().verdict) ?? .unjudged }
      throw ExitConvention.bisect.status(Verdict.combined(verdicts))
    }

    /// Says once why a kernel's code judged no tape.
    private func noteRefusal(_ name: String, _ results: [BatchResult]) {
      let conclusions = results.compactMap { try? $0.outcome.get() }
      guard let first = conclusions.first, let reason = first.reason,
        conclusions.allSatisfy({ $0.verdict == .unjudged && $0.reason == reason })
      else { return }
      Console.note("probetape: kernel:\(name): \(reason)")
    }

    private func text(_ rows: [EpochMatrixRow], _ kernels: [[TapeConclusion?]]) -> String {
      var lines = Epoch.allCases.map { "# \($0.name): \($0.kernels)" }
      lines += kernel.enumerated().map { "# K\($0.offset + 1): kernel:\($0.element)" }
      let width = max(4, rows.map(\.path.count).max() ?? 0)
      let titles = ["own"] + Epoch.allCases.map(\.name) + kernel.indices.map { "K\($0 + 1)" }
      lines.append(padded("tape", width) + titles.map { padded($0, 7, left: true) }.joined())
      for (index, row) in rows.enumerated() {
        let cells =
          [cell(try? row.own.get())] + row.epochs.map(cell) + kernels.map { cell($0[index]) }
        lines.append(
          padded(row.path, width) + cells.map { padded($0, 7, left: true) }.joined())
        if case .failure(let error) = row.own { lines.append("  \(error.description)") }
      }
      return lines.joined(separator: "\n")
    }

    private func cell(_ conclusion: TapeConclusion?) -> String {
      guard let conclusion else { return "?" }
      switch conclusion.verdict {
      case .match: return "="
      case .unjudged: return "?"
      case .diverged: return "\(conclusion.divergences[0].hit)"
      }
    }

    private func padded(_ text: String, _ width: Int, left: Bool = false) -> String {
      let fill = String(repeating: " ", count: max(0, width - text.count))
      return left ? fill + text : text + fill
    }
  }
}

/// A row of the matrix as JSON.
private struct MatrixRow: Encodable {
  struct Cell: Encodable {
    var handler: String
    var verdict: String
    var hit: UInt64?
    var `class`: String?
    var digest: String
  }

  var tape: String
  var kernel: String
  var verdict: String
  var epochs: [Cell]
  var kernels: [Cell]

  init(_ row: EpochMatrixRow, _ conclusions: [TapeConclusion?]) {
    tape = row.path
    kernel = row.release
    verdict = ((try? row.own.get().verdict) ?? .unjudged).rawValue
    epochs = row.epochs.map(Self.cell)
    kernels = conclusions.compactMap { $0 }.map(Self.cell)
  }

  private static func cell(_ conclusion: TapeConclusion) -> Cell {
    Cell(
      handler: conclusion.handler, verdict: conclusion.verdict.rawValue,
      hit: conclusion.divergences.first?.hit,
      class: conclusion.divergences.first?.kind.rawValue, digest: conclusion.digest)
  }
}

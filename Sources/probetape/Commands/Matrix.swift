import ArgumentParser
import Foundation
import KernelModel
import Replay
import TapeFormat

extension Probetape {
  /// `probetape matrix`: each tape against the rules of every epoch.
  struct Matrix: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Replay each tape under the rules of every epoch of kernels.",
      discussion: """
        A cell is `=` for a match, the number of the first hit that differs, or `?` where the tape \
        could not be judged. The exit status is that of each tape under its own kernel's rules.
        """)

    @Flag(help: "One JSON object per tape, in an array.")
    var json = false

    @Option(name: .short, help: ArgumentHelp("How many replays at a time.", valueName: "jobs"))
    var jobs: Int = ProcessInfo.processInfo.activeProcessorCount

    @Argument(help: ArgumentHelp("Tapes, or directories of tapes.", valueName: "tape"))
    var tapes: [String]

    func validate() throws {
      guard jobs > 0 else { throw ValidationError("-j takes a number from 1 upwards.") }
    }

    func run() throws {
      let rows = EpochMatrix.rows(paths: try TapePaths.expand(tapes), jobs: jobs)
      try Console.print(json ? try JSONReport.encode(rows.map(MatrixRow.init)) : text(rows))
      let verdicts = rows.map { (try? $0.own.get().verdict) ?? .unjudged }
      throw ExitConvention.bisect.status(Verdict.combined(verdicts))
    }

    private func text(_ rows: [EpochMatrixRow]) -> String {
      var lines = Epoch.allCases.map { "# \($0.name): \($0.kernels)" }
      let width = max(4, rows.map(\.path.count).max() ?? 0)
      let titles = ["own"] + Epoch.allCases.map(\.name)
      lines.append(padded("tape", width) + titles.map { padded($0, 7, left: true) }.joined())
      for row in rows {
        let cells = [cell(try? row.own.get())] + row.epochs.map(cell)
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

  init(_ row: EpochMatrixRow) {
    tape = row.path
    kernel = row.release
    verdict = ((try? row.own.get().verdict) ?? .unjudged).rawValue
    epochs = row.epochs.map { conclusion in
      Cell(
        handler: conclusion.handler, verdict: conclusion.verdict.rawValue,
        hit: conclusion.divergences.first?.hit,
        class: conclusion.divergences.first?.kind.rawValue, digest: conclusion.digest)
    }
  }
}

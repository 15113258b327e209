import ArgumentParser
import HandlerHost
import ProbeEvents
import Replay
import SystemPackage
import TapeFormat

extension Probetape {
  /// `probetape show`: each hit of a tape, with what a handler concluded beside it.
  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show",
      abstract: "Print each hit, indented by call depth, with the handler's conclusion beside it.")

    @Flag(help: "One JSON object per line.")
    var json = false

    @Option(help: HandlerArgument.help, transform: HandlerArgument.parse)
    var handler: HandlerArgument = .model(.modelOfTape)

    @OptionGroup var foreign: ForeignOptions

    @Argument(help: "The tape.")
    var tape: String

    func run() throws {
      try TapeFailure.reported(of: tape) { try print() }
    }

    private func print() throws {
      var reader = try TapeReader(path: tape)
      var text = TapeText(header: reader.header)
      let header = reader.header
      if !json {
        for line in text.preamble { try Console.print(line) }
      }
      var explainer = Explainer(header: header, rules: handler.rulesText(for: header.kernel))
      var nextHit: UInt64 = 0
      let conclusion = try HandlerBatch.annotate(&reader, tape, handler, foreign) {
        columns, concluded, count in
        let end = nextHit + UInt64(count)
        nextHit += UInt64(columns.count)
        var shown = columns
        shown.sideEvents.removeAll { $0.beforeHit >= count && count < columns.count }
        explainer.follow(columns, concluded)
        let lines =
          json
          ? Array(try HitJSON.lines(header, shown, concluded).prefix(count))
          : text.lines(shown, concluded, isWanted: { hit, _ in hit < end })
        if !lines.isEmpty { try Console.print(lines.joined(separator: "\n")) }
      }
      if !json {
        try Console.print("# " + TextReport.summary(conclusion))
        for divergence in conclusion.divergences {
          try Console.print("# hit \(divergence.hit): \(divergence.rule)")
          for line in ExplanationText.lines(explainer.explanation(of: divergence)) {
            try Console.print("#   " + line)
          }
        }
      }
      try explainEnd(conclusion)
    }

    /// Says why a foreign handler was not heard to the end, where it was not.
    private func explainEnd(_ conclusion: TapeConclusion) throws {
      guard conclusion.digest.isEmpty else { return }
      if let divergence = conclusion.divergences.first {
        return Console.note(
          "probetape: the handler ended at hit \(divergence.hit): \(divergence.actual)")
      }
      Console.note("probetape: \(conclusion.reason ?? "the handler cannot judge this tape")")
      throw ExitCode(125)
    }
  }
}

import ArgumentParser
import Foundation
import HandlerHost
import Replay
import SystemPackage
import TapeFormat

extension Probetape {
  /// `probetape show`: each hit of a tape, with what a handler concluded beside it.
  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print each hit, indented by call depth, with the handler's conclusion beside it.")

    @Flag(help: "One JSON object per line.")
    var json = false

    @Option(help: HandlerArgument.help, transform: HandlerArgument.parse)
    var handler: HandlerArgument = .model(.modelOfTape)

    @OptionGroup var foreign: ForeignOptions

    @Argument(help: "The tape.")
    var tape: String

    func run() throws {
      do {
        try print()
      } catch let error as Errno where error == .brokenPipe {
        // The reader has seen enough.
      } catch let error as TapeError {
        Console.note("probetape: \(tape): \(error.description)")
        throw ExitCode(125)
      } catch let error as KernelSourceError {
        Console.note("probetape: \(error.description)")
        throw ExitCode(125)
      } catch let error as HandlerLibraryError {
        Console.note("probetape: \(error.description)")
        throw ExitCode(125)
      }
    }

    private func print() throws {
      var reader = try TapeReader(path: tape)
      var text = TapeText(header: reader.header)
      let header = reader.header
      if !json {
        for line in text.preamble { try Console.print(line) }
      }
      var explainer = Explainer(header: header, rules: handler.rulesText(for: header.kernel))
      let conclusion = try HandlerBatch.annotate(&reader, handler, foreign) { columns, concluded in
        explainer.follow(columns, concluded)
        let lines =
          json
          ? try HitJSON.lines(header, columns, concluded) : text.lines(columns, concluded)
        if !lines.isEmpty { try Console.print(lines.joined(separator: "\n")) }
      }
      if json { return }
      try Console.print("# " + TextReport.summary(conclusion))
      for divergence in conclusion.divergences {
        try Console.print("# hit \(divergence.hit): \(divergence.rule)")
        for line in ExplanationText.lines(explainer.explanation(of: divergence)) {
          try Console.print("#   " + line)
        }
      }
    }
  }
}

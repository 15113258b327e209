import ArgumentParser
import Foundation
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

    @Option(help: "The handler: model, model:RELEASE, or model:E3.", transform: HandlerArgument.parse)
    var handler: HandlerChoice = .modelOfTape

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
      }
    }

    private func print() throws {
      var reader = try TapeReader(path: tape)
      var text = TapeText(header: reader.header)
      let header = reader.header
      if !json {
        for line in text.preamble { try Console.print(line) }
      }
      let conclusion = try TapeReplay.annotate(&reader, handler: handler) { columns, concluded in
        let lines =
          json
          ? try HitJSON.lines(header, columns, concluded) : text.lines(columns, concluded)
        if !lines.isEmpty { try Console.print(lines.joined(separator: "\n")) }
      }
      if !json { try Console.print("# " + TextReport.summary(conclusion)) }
    }
  }
}

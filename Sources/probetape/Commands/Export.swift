import ArgumentParser
import Glibc
import HandlerHost
import Replay
import SystemPackage
import TapeExchange
import TapeFormat

extension Probetape {
  /// `probetape export`: a tape in a format that other tools read.
  struct Export: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "export",
      abstract:
        "Write a tape as perf script text, folded stacks, Chrome or Perfetto trace, or JSON.")

    @Option(
      name: .customLong("to"),
      help: "perf-script, folded, chrome, perfetto or json (one object for each hit).",
      transform: ExportArgument.format)
    var format: ExportFormat

    @Option(
      help: "What folded stacks count: calls, or time (nanoseconds in the call itself).",
      transform: ExportArgument.weight)
    var weight: FoldedWeight = .calls

    @Option(help: HandlerArgument.help, transform: HandlerArgument.parse)
    var handler: HandlerArgument = .model(.modelOfTape)

    @OptionGroup var foreign: ForeignOptions

    @Option(name: .short, help: ArgumentHelp("Where to write; - for a pipe.", valueName: "file"))
    var output: String = "-"

    @Argument(help: "The tape.")
    var tape: String

    func run() throws {
      // A reader that goes away is an error of a write, not our death.
      _ = signal(SIGPIPE, SIG_IGN)
      try TapeFailure.reported(of: tape) {
        do {
          try export()
        } catch TapeError.system(_, _, let number) where number == EPIPE {
          // The reader has seen enough.
        }
      }
    }

    private func export() throws {
      var reader = try TapeReader(path: tape)
      let file = try TapeOutputArgument.open(output)
      var export = TapeExport(header: reader.header, to: format, weight: weight, output: file)
      let conclusion = try HandlerBatch.annotate(&reader, tape, handler, foreign) {
        columns, concluded, count in
        try export.add(columns, concluded, hits: count)
      }
      try export.finish(conclusion)
      // Calls are drawn as the handler concludes: say so where that is not certain.
      if conclusion.verdict != .match {
        Console.note("probetape: \(TextReport.summary(conclusion))")
      }
    }
  }
}

/// The arguments of `export`.
enum ExportArgument {
  static func format(_ text: String) throws -> ExportFormat {
    guard let format = ExportFormat(rawValue: text) else {
      let names = ExportFormat.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("'\(text)' is no format that tapes export to: \(names).")
    }
    return format
  }

  static func weight(_ text: String) throws -> FoldedWeight {
    guard let weight = FoldedWeight(rawValue: text) else {
      throw ValidationError("--weight takes calls or time.")
    }
    return weight
  }
}

import ArgumentParser
import Replay
import SystemPackage

extension Probetape {
  /// `probetape replay`: feeds tapes to a handler and says whether it explains them.
  struct Replay: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "replay",
      abstract: "Feed tapes to a handler and check every piece of evidence.")

    @Option(help: HandlerArgument.help, transform: HandlerArgument.parse)
    var handler: HandlerArgument = .model(.modelOfTape)

    @OptionGroup var foreign: ForeignOptions

    @Option(help: "text, json, ktap or junit.")
    var format: ReportFormat = .text

    @Option(name: .short, help: ArgumentHelp("Write the report here.", valueName: "file"))
    var output: String?

    @Option(name: .short, help: ArgumentHelp("How many tapes at a time.", valueName: "jobs"))
    var jobs: Int = Processors.count

    @Option(help: "bisect (0, 1, 125) or kselftest (0, 1, 4).")
    var exitCode: ExitConvention = .bisect

    @Argument(help: ArgumentHelp("Tapes, or directories of tapes.", valueName: "tape"))
    var tapes: [String]

    func validate() throws {
      guard jobs > 0 else { throw ValidationError("-j takes a number from 1 upwards.") }
      guard !tapes.isEmpty else { throw ValidationError("Name at least one tape.") }
    }

    func run() throws {
      let paths = try TapePaths.expand(tapes)
      var results = HandlerBatch.replay(paths, handler, foreign, jobs: jobs)
      if format.hasExplanations { DivergenceExplanation.add(to: &results, handler) }
      let report = try format.render(results)
      do {
        try DataOutput(path: output).print(report)
      } catch let error as Errno where error == .brokenPipe {
        // The reader has gone; the exit status still says the verdict.
      }
      throw exitCode.status(Verdict.combined(results.map(\.verdict)))
    }
  }
}

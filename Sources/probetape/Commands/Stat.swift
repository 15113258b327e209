import ArgumentParser
import ProbeEvents
import Replay
import SystemPackage
import TapeFormat

extension Probetape {
  /// `probetape stat`: what tapes hold, without judging them.
  struct Stat: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "stat",
      abstract: "Print what a tape holds: hits, losses, threads, probes, size, kernel.")

    @Flag(help: "One JSON object; an array of them for several tapes.")
    var json = false

    @Argument(help: ArgumentHelp("Tapes, or directories of tapes.", valueName: "tape"))
    var tapes: [String]

    func run() throws {
      var reports: [StatReport] = []
      var hasFailed = false
      for path in try TapePaths.expand(tapes) {
        do throws(TapeError) {
          var reader = try TapeReader(path: path)
          let header = reader.header
          let statistics = try TapeStatistics(&reader)
          reports.append(StatReport(path: path, header: header, statistics: statistics))
        } catch {
          Console.note("probetape: \(path): \(error.description)")
          hasFailed = true
        }
      }
      if json, reports.count == 1 {
        try Console.print(try JSONReport.encode(reports[0]))
      } else if json {
        try Console.print(try JSONReport.encode(reports))
      } else {
        for report in reports { try Console.print(report.text) }
      }
      if hasFailed { throw ExitCode(125) }
    }
  }
}

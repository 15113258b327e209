import ArgumentParser
import Recorder

/// The checks themselves, under a name that the verb does not hide.
private typealias HostDoctor = Doctor

extension Probetape {
  /// `probetape doctor`: what this host can record, and what to do about each "no".
  struct Doctor: ParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "doctor",
      abstract: "Say what this host can record, and the command that fixes each \"no\".",
      discussion: "Exit status: 0 when this host can record, 1 when something is in the way.")

    @Flag(help: "One JSON array.")
    var json = false

    func run() throws {
      let findings = HostDoctor.examine()
      if json {
        try Console.print(try JSONReport.encode(findings.map(FindingReport.init)))
      } else {
        for finding in findings { try Console.print(text(finding)) }
        let count = findings.count { $0.verdict == .no }
        try Console.print(
          count == 0 ? "This host can record." : "\(count) in the way of recording.")
      }
      if findings.contains(where: { $0.verdict == .no }) { throw ExitCode(1) }
    }

    private func text(_ finding: Finding) -> String {
      let label = finding.verdict.rawValue
      let fill = String(repeating: " ", count: max(1, 8 - label.count))
      let line = label + fill + finding.name + ": " + finding.seen
      return finding.remedy.isEmpty ? line : line + "\n        " + finding.remedy
    }
  }
}

/// A finding as JSON.
private struct FindingReport: Encodable {
  var name, verdict, seen, remedy: String

  init(_ finding: Finding) {
    name = finding.name
    verdict = finding.verdict.rawValue
    seen = finding.seen
    remedy = finding.remedy
  }
}

import ArgumentParser
import Replay

/// The form of a replay's report.
enum ReportFormat: String, ExpressibleByArgument, CaseIterable {
  case text, json, ktap, junit

  /// Whether the form has room for explanations.
  var hasExplanations: Bool {
    switch self {
    case .text, .json: true
    case .ktap, .junit: false
    }
  }

  func render(_ results: [BatchResult]) throws -> String {
    switch self {
    case .text: TextReport.render(results)
    case .json: try JSONReport.render(results)
    case .ktap: KTAPReport.render(results)
    case .junit: JUnitReport.render(results)
    }
  }
}

import Replay
import TapeFormat

/// A replay's report in the kernel's test format, KTAP version 1: a tape is a test.
enum KTAPReport {
  static func render(_ results: [BatchResult]) -> String {
    var lines = ["KTAP version 1", "1..\(results.count)"]
    for (index, result) in results.enumerated() {
      let name = result.path.replacing("#", with: "_")
      switch result.verdict {
      case .match: lines.append("ok \(index + 1) \(name)")
      case .diverged:
        lines += notes(result)
        lines.append("not ok \(index + 1) \(name)")
      case .unjudged: lines.append("ok \(index + 1) \(name) # SKIP \(reason(result))")
      }
    }
    return lines.joined(separator: "\n")
  }

  private static func notes(_ result: BatchResult) -> [String] {
    guard case .success(let conclusion) = result.outcome else { return [] }
    return conclusion.divergences.map {
      "# hit \($0.hit): \($0.kind.rawValue): expected \($0.expected); actual \($0.actual)"
    }
  }

  private static func reason(_ result: BatchResult) -> String {
    switch result.outcome {
    case .success(let conclusion): conclusion.reason ?? "could not be judged"
    case .failure(let error): error.description
    }
  }
}

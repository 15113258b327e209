import Replay
import TapeFormat

/// A replay's report as JUnit XML: a tape is a test case.
enum JUnitReport {
  static func render(_ results: [BatchResult]) -> String {
    let failures = results.count { $0.verdict == .diverged }
    let skipped = results.count { $0.verdict == .unjudged }
    var lines = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>"]
    lines.append(
      "<testsuite name=\"probetape replay\" tests=\"\(results.count)\" failures=\"\(failures)\" "
        + "skipped=\"\(skipped)\">")
    for result in results { lines += testCase(result) }
    lines.append("</testsuite>")
    return lines.joined(separator: "\n")
  }

  private static func testCase(_ result: BatchResult) -> [String] {
    let open = "  <testcase name=\"\(escape(result.path))\" classname=\"tape\""
    switch result.outcome {
    case .failure(let error):
      return [
        open + ">", "    <skipped message=\"\(escape(error.description))\"/>", "  </testcase>",
      ]
    case .success(let conclusion):
      switch conclusion.verdict {
      case .match: return [open + "/>"]
      case .unjudged:
        let reason = escape(conclusion.reason ?? "could not be judged")
        return [open + ">", "    <skipped message=\"\(reason)\"/>", "  </testcase>"]
      case .diverged:
        let failures = conclusion.divergences.map { divergence in
          "    <failure type=\"\(divergence.kind.rawValue)\" message=\"hit \(divergence.hit): "
            + "expected \(escape(divergence.expected)); actual \(escape(divergence.actual))\"/>"
        }
        return [open + ">"] + failures + ["  </testcase>"]
      }
    }
  }

  private static func escape(_ text: String) -> String {
    var escaped = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "\u{0}"..."\u{8}", "\u{B}", "\u{C}", "\u{E}"..."\u{1F}": escaped += "?"
      default: escaped.unicodeScalars.append(scalar)
      }
    }
    return escaped
  }
}

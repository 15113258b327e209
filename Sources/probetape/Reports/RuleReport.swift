import KernelModel
import ProbeEvents

/// What differs between epochs outside the return instances, as text and as JSON.
enum RuleReport {
  /// One line for each rule: its room, its name, and the choice of each span of epochs.
  static func text() -> String {
    var lines = Epoch.allCases.map { "# \($0.name): \($0.kernels)" }
    lines += KprobeEpoch.allCases.map { "# \($0.name): from \($0.firstRelease)" }
    for architecture in Architecture.allCases {
      lines.append("# \(architecture.name)")
      lines += UprobeRules.table(architecture).map { line($0, Epoch.allCases.map(\.name)) }
      lines += KprobeRules.table(architecture).map { line($0, KprobeEpoch.allCases.map(\.name)) }
    }
    return lines.joined(separator: "\n")
  }

  private static func line(_ row: RuleRow, _ epochs: [String]) -> String {
    func padded(_ text: String, _ width: Int) -> String {
      text + String(repeating: " ", count: max(1, width - text.count))
    }
    var spans: [(first: String, last: String, value: String)] = []
    for (epoch, value) in zip(epochs, row.values) {
      if let span = spans.last, span.value == value {
        spans[spans.count - 1].last = epoch
      } else {
        spans.append((epoch, epoch, value))
      }
    }
    let text = spans.map { span in
      let epochs = span.first == span.last ? span.first : "\(span.first)-\(span.last)"
      return "\(epochs) \(span.value.isEmpty ? "none" : span.value)"
    }
    return padded(row.room, 22) + padded(row.rule, 24) + text.joined(separator: ", ")
  }

  /// The same with a cell for each epoch.
  static func json() throws -> String {
    try JSONReport.encode(
      Architecture.allCases.flatMap { architecture in
        UprobeRules.table(architecture).map {
          Row($0, architecture, Epoch.allCases.map(\.name))
        }
          + KprobeRules.table(architecture).map {
            Row($0, architecture, KprobeEpoch.allCases.map(\.name))
          }
      })
  }

  private struct Row: Encodable {
    struct Cell: Encodable {
      var epoch: String
      var value: String
    }

    var architecture: String
    var room: String
    var rule: String
    var epochs: [Cell]

    init(_ row: RuleRow, _ architecture: Architecture, _ epochs: [String]) {
      self.architecture = architecture.name
      room = row.room
      rule = row.rule
      self.epochs = zip(epochs, row.values).map { Cell(epoch: $0, value: $1) }
    }
  }
}

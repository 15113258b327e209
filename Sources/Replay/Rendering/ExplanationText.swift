/// The text form of an explanation.
public enum ExplanationText {
  /// Its lines, without indentation.
  public static func lines(_ explanation: Explanation) -> [String] {
    var lines = ["why: \(explanation.sentence)", "rules: \(explanation.rules)"]
    if !explanation.calls.isEmpty {
      let rows = explanation.calls.map { call in
        [
          call.name + (call.entered.map { " (hit \($0))" } ?? ""), hexadecimal(call.slot),
          call.handler, call.tape,
        ]
      }
      lines += table([["call", "slot", "handler", "tape"]] + rows)
    }
    if explanation.olderCalls > 0 { lines.append("  and \(explanation.olderCalls) older calls") }
    if !explanation.history.isEmpty {
      lines.append("led there:")
      lines += explanation.history.map { "  " + $0 }
    }
    return lines
  }

  /// Rows with their columns below each other.
  private static func table(_ rows: [[String]]) -> [String] {
    let widths = rows[0].indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let cells = row.indices.map { column in
        column == row.count - 1 ? row[column] : pad(row[column], to: widths[column])
      }
      return "  " + cells.joined(separator: "  ")
    }
  }
}

import ProbeEvents
import Replay
import TapeFormat

/// The hits of a block as JSON, one object per line.
enum HitJSON {
  private struct Line: Encodable {
    var hit: UInt64
    var kind: String
    var probe: String
    var process: Int32
    var thread: Int32
    var cpu: UInt16
    var time: UInt64
    var function: String
    var registers: [String: String]
    var stack: [String]
    var conclusion: String?
    var depth: Int?
  }

  static func lines(
    _ header: TapeHeader, _ columns: HitColumns, _ concluded: [AnnotatedConclusion]
  ) throws -> [String] {
    var lines: [String] = []
    let hits = concluded.filter {
      if case .signal = $0.conclusion { return false }
      return true
    }
    for index in 0..<columns.count {
      let annotated = index < hits.count ? hits[index] : nil
      lines.append(
        try JSONReport.encode(line(header, columns, index, annotated), isPretty: false))
    }
    return lines
  }

  private static func line(
    _ header: TapeHeader, _ columns: HitColumns, _ index: Int, _ annotated: AnnotatedConclusion?
  ) -> Line {
    let layout = header.kernel.architecture.registerLayout
    let thread = columns.threadTable[Int(columns.threads[index])]
    var registers: [String: String] = [:]
    for (column, name) in layout.names.enumerated() {
      registers[name] = text(columns.registers[index * layout.count + column])
    }
    let words = columns.windowWords[
      Int(columns.windowStarts[index])..<Int(columns.windowStarts[index + 1])]
    let probe = Int(columns.probes[index])
    return Line(
      hit: annotated?.hit ?? UInt64(index),
      kind: columns.kinds[index] == .entry ? "entry" : "return",
      probe: probe < header.probes.count ? header.probes[probe].displayName : "\(probe)",
      process: thread.process, thread: thread.thread, cpu: columns.cpus[index],
      time: columns.times[index], function: text(columns.functions[index]), registers: registers,
      stack: words.map(text), conclusion: annotated.map { name($0.conclusion) },
      depth: annotated?.depth)
  }

  private static func text(_ value: UInt64) -> String {
    "0x" + String(value, radix: 16)
  }

  private static func name(_ conclusion: HitConclusion) -> String {
    switch conclusion {
    case .entry(let entry): "\(entry.outcome)"
    case .returned: "returned"
    case .returnOfUnseenEntry: "returnOfUnseenEntry"
    case .signal: "signal"
    case .unjudged: "unjudged"
    case .diverged(let divergence): "diverged:\(divergence.kind.rawValue)"
    }
  }
}

import ProbeEvents
import Replay
import TapeFormat

/// One JSON object for each hit, a line each, with the keys in alphabetical order.
struct HitJSONWriter: ExportWriter {
  var buffer: ExportBuffer
  private let header: TapeHeader
  private let layout: RegisterLayout
  private let probes: [String]
  private let paths: [String]
  private var stacks = StackTexts()

  init(header: TapeHeader, buffer: ExportBuffer) {
    self.buffer = buffer
    self.header = header
    layout = header.kernel.architecture.registerLayout
    probes = header.probes.map { ExportText.json($0.displayName) }
    paths = header.probes.map { ExportText.json($0.path) }
  }

  mutating func hit(_ hit: FollowedHit, _ columns: HitColumns, stack: [OpenCall]) {
    let probe = Int(hit.probe)
    var line = "{\"conclusion\":\(hit.conclusion.map { Self.name($0.conclusion) } ?? "null")"
    line += ",\"cpu\":\(columns.cpus[hit.place])"
    line += ",\"depth\":\(hit.conclusion.map { String($0.depth) } ?? "null")"
    line += stacks.text(hit, columns, Self.text) ?? ""
    line += ",\"function\":\(hexadecimal(columns.functions[hit.place]))"
    line += ",\"hit\":\(hit.index),\"kind\":\"\(hit.kind)\""
    line += ",\"path\":\(probe < paths.count ? paths[probe] : "null")"
    line += ",\"probe\":\(probe < probes.count ? probes[probe] : "null")"
    line += ",\"process\":\(hit.thread.process)"
    line += ",\"registers\":{"
    for (column, name) in layout.names.enumerated() {
      let value = columns.registers[hit.place * layout.count + column]
      line += "\(column == 0 ? "" : ",")\"\(name)\":\(hexadecimal(value))"
    }
    line += "}"
    if let entry = hit.returnsHit { line += ",\"returnsHit\":\(entry)" }
    line += ",\"stack\":["
    let words = Int(columns.windowStarts[hit.place])..<Int(columns.windowStarts[hit.place + 1])
    for word in words {
      line += (word == words.lowerBound ? "" : ",") + hexadecimal(columns.windowWords[word])
    }
    line += "],\"thread\":\(hit.thread.thread),\"time\":\(columns.times[hit.place])}\n"
    buffer.append(line)
  }

  private static func text(_ frames: [ExportedFrame], _ ending: StackEnding) -> String {
    let list = frames.map { frame in
      var object = frame.address.map { "\"address\":\(hexadecimal($0))," } ?? ""
      if frame.named.function != nil { object += "\"distance\":\(frame.named.distance)," }
      if let file = frame.named.file { object += "\"file\":\(ExportText.json(file.path))," }
      if let name = frame.named.function { object += "\"function\":\(ExportText.json(name))," }
      return "{\(object)\"offset\":\(hexadecimal(frame.named.frame.offset))}"
    }
    return ",\"frames\":[\(list.joined(separator: ","))],\"framesEnd\":\"\(ending)\""
  }

  private func hexadecimal(_ value: UInt64) -> String { Self.hexadecimal(value) }

  private static func hexadecimal(_ value: UInt64) -> String {
    "\"\(ExportText.hexadecimal(value))\""
  }

  private static func name(_ conclusion: HitConclusion) -> String {
    switch conclusion {
    case .entry(let entry): "\"\(entry.outcome)\""
    case .returned: "\"returned\""
    case .returnOfUnseenEntry: "\"returnOfUnseenEntry\""
    case .signal: "\"signal\""
    case .unjudged: "\"unjudged\""
    case .diverged(let divergence): "\"diverged:\(divergence.kind.rawValue)\""
    }
  }
}

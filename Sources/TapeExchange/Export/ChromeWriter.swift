import ProbeEvents
import Replay
import TapeFormat

/// Trace-event JSON: calls as pairs of `B` and `E`, everything else as instants.
struct ChromeWriter: ExportWriter {
  var buffer: ExportBuffer
  private let header: TapeHeader
  private let probes: [String]
  private var isFirst = true

  init(header: TapeHeader, buffer: ExportBuffer) {
    self.buffer = buffer
    self.header = header
    probes = header.probes.indices.map { ExportText.json(header.probes.name(of: UInt32($0))) }
  }

  mutating func begin() {
    buffer.append("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[\n")
  }

  mutating func name(_ thread: ThreadIdentity, _ name: String) {
    let value = "{\"name\":\(ExportText.json(name))}"
    event("\"ph\":\"M\",\"name\":\"thread_name\",\(who(thread)),\"args\":\(value)")
    guard thread.process == thread.thread else { return }
    event("\"ph\":\"M\",\"name\":\"process_name\",\(who(thread)),\"args\":\(value)")
  }

  mutating func enter(_ thread: ThreadIdentity, stack: [OpenCall]) {
    guard let call = stack.last else { return }
    event(
      "\"ph\":\"B\",\"name\":\(name(call.probe)),\"cat\":\"call\",\(when(call.time)),\(who(thread)),"
        + "\"args\":{\"hit\":\(call.hit),\"function\":\"\(ExportText.hexadecimal(call.function))\","
        + "\"chained\":\(call.isChained)}")
  }

  mutating func leave(
    _ thread: ThreadIdentity, stack: [OpenCall], at time: UInt64, _ end: CallEnd
  ) {
    guard let call = stack.last else { return }
    event(
      "\"ph\":\"E\",\"name\":\(name(call.probe)),\"cat\":\"call\",\(when(time)),\(who(thread)),"
        + "\"args\":{\"end\":\"\(end.rawValue)\"}")
  }

  mutating func touch(_ thread: ThreadIdentity, stack: [OpenCall], _ call: OpenCall) {
    event(
      "\"ph\":\"i\",\"s\":\"t\",\"name\":\(name(call.probe)),\"cat\":\"entry\",\(when(call.time)),"
        + "\(who(thread)),\"args\":{\"hit\":\(call.hit)}")
  }

  mutating func mark(_ thread: ThreadIdentity, at time: UInt64, _ mark: CallMark) {
    let hit = mark.hit.map { "\"hit\":\($0)," } ?? ""
    event(
      "\"ph\":\"i\",\"s\":\"t\",\"name\":\(ExportText.json(mark.name)),\"cat\":\"mark\","
        + "\(when(time)),\(who(thread)),\"args\":{\(hit)\"detail\":\(ExportText.json(mark.detail))}"
    )
  }

  mutating func end(_ conclusion: TapeConclusion) {
    let reason = conclusion.reason.map { ",\"reason\":\(ExportText.json($0))" } ?? ""
    buffer.append(
      "\n],\"otherData\":{\"kernel\":\(ExportText.json(header.kernel.release)),"
        + "\"handler\":\(ExportText.json(conclusion.handler)),"
        + "\"verdict\":\"\(conclusion.verdict.rawValue)\"\(reason)}}\n")
  }

  private mutating func event(_ fields: String) {
    buffer.append(isFirst ? "{" : ",\n{")
    isFirst = false
    buffer.append(fields)
    buffer.append("}")
  }

  private func name(_ probe: UInt32) -> String {
    Int(probe) < probes.count ? probes[Int(probe)] : "\"probe \(probe)\""
  }

  /// Microseconds with three decimals.
  private func when(_ time: UInt64) -> String {
    "\"ts\":" + Decimals.text(units: time, 3)
  }

  private func who(_ thread: ThreadIdentity) -> String {
    "\"pid\":\(thread.process),\"tid\":\(thread.thread)"
  }
}

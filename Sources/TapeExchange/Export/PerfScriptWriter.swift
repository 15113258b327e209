import ProbeEvents
import Replay
import TapeFormat

/// The text of `perf script`: a line for each hit, then the probed calls that are open, newest first,
/// each at its probe's address, then an empty line.
struct PerfScriptWriter: ExportWriter {
  var buffer: ExportBuffer
  private let probes: [Probe]
  private var names = ThreadNames()

  init(header: TapeHeader, buffer: ExportBuffer) {
    self.buffer = buffer
    probes = header.probes
  }

  mutating func name(_ thread: ThreadIdentity, _ name: String) {
    names.set(thread, name)
  }

  mutating func hit(_ hit: FollowedHit, _ columns: HitColumns, stack: [OpenCall]) {
    let ip = columns.instructionPointers[hit.place]
    let function = columns.functions[hit.place]
    let place =
      hit.kind == .entry
      ? "(\(String(ip, radix: 16)))"
      : "(\(String(function, radix: 16)) <- \(String(ip, radix: 16)))"
    let ending = hit.kind == .entry ? "" : "__return"
    buffer.append(
      "\(names[hit.thread]) \(hit.thread.process)/\(hit.thread.thread) "
        + "[\(ExportText.cpu(columns.cpus[hit.place]))] "
        + "\(ExportText.decimal(hit.time, decimals: 9)): "
        + "probetape:\(ExportText.frame(probes.name(of: hit.probe)))\(ending): \(place)\n")
    // A call without a return instance is not among the open ones, but it is where the hit is.
    if hit.kind == .entry, stack.last?.hit != hit.index { frame(hit.probe, function) }
    for call in stack.reversed() { frame(call.probe, call.function) }
    buffer.append("\n")
  }

  private mutating func frame(_ probe: UInt32, _ address: Address) {
    let known = Int(probe) < probes.count ? probes[Int(probe)] : nil
    let symbol = known.map { $0.symbol.isEmpty ? "[unknown]" : $0.symbol + "+" + offset($0) }
    buffer.append(
      "\t\(ExportText.right(String(address, radix: 16), 16)) "
        + "\(ExportText.line(symbol ?? "[unknown]")) "
        + "(\(ExportText.line(known.map(\.path) ?? "[unknown]")))\n")
  }

  private func offset(_ probe: Probe) -> String { ExportText.hexadecimal(probe.symbolOffset) }
}

extension ExportText {
  /// A CPU's number with three digits, as perf prints it.
  static func cpu(_ cpu: UInt16) -> String {
    let digits = String(cpu)
    return String(repeating: "0", count: max(0, 3 - digits.count)) + digits
  }
}

/// The names of threads as side events tell them.
struct ThreadNames {
  private var names: [Int32: String] = [:]

  /// Names that are kept; more threads than Linux has at a time by default.
  private static let namesMax = 1 << 18

  mutating func set(_ thread: ThreadIdentity, _ name: String) {
    if names.count >= Self.namesMax { names.removeAll() }
    names[thread.thread] = ExportText.line(name)
  }

  /// A thread's name; its process's, then its number where none is known.
  subscript(thread: ThreadIdentity) -> String {
    names[thread.thread] ?? names[thread.process] ?? ":\(thread.thread)"
  }
}

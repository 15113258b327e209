import ProbeEvents
import Replay
import TapeFormat

/// The text of `perf script`: a line for each hit, then its user stack, then an empty line. Where the
/// tape has no stack, the probed calls that are open stand for it, newest first, each at its probe.
/// As perf since 5.17 does, places are given as offsets in their files.
struct PerfScriptWriter: ExportWriter {
  var buffer: ExportBuffer
  /// By probe: the event's name, and the line of a frame.
  private let probes: [(event: [UInt8], frame: [UInt8])]
  private var names = ThreadNames()
  private var stacks = StackTexts()

  init(header: TapeHeader, buffer: ExportBuffer) {
    self.buffer = buffer
    probes = header.probes.indices.map { index in
      let probe = header.probes[index]
      let name = ExportText.frame(header.probes.name(of: UInt32(index)))
      let symbol =
        probe.symbol.isEmpty
        ? nil
        : ExportText.line(probe.symbol) + "+" + ExportText.hexadecimal(probe.symbolOffset)
      return (
        Array("probetape:\(name)".utf8),
        Array(Self.line(probe.fileOffset, symbol, probe.path).utf8)
      )
    }
  }

  mutating func name(_ thread: ThreadIdentity, _ name: String) {
    names.set(thread, name)
  }

  mutating func hit(_ hit: FollowedHit, _ columns: HitColumns, stack: [OpenCall]) {
    head(hit, columns)
    if let frames = stacks.text(hit, columns, Self.text) {
      buffer.append(frames)
    } else {
      // A call without a return instance is not among the open ones, but it is where the hit is.
      if hit.kind == .entry, stack.last?.hit != hit.index { frame(hit.probe) }
      for call in stack.reversed() { frame(call.probe) }
    }
    buffer.append("\n")
  }

  private mutating func head(_ hit: FollowedHit, _ columns: HitColumns) {
    let isEntry = hit.kind == .entry
    let ip = columns.instructionPointers[hit.place]
    buffer.append(names[hit.thread])
    buffer.append(" ")
    buffer.append(decimal: hit.thread.process)
    buffer.append("/")
    buffer.append(decimal: hit.thread.thread)
    buffer.append(" [")
    buffer.append(decimal: UInt64(columns.cpus[hit.place]), width: 3)
    buffer.append("] ")
    buffer.append(decimal: hit.time / 1_000_000_000)
    buffer.append(".")
    buffer.append(decimal: hit.time % 1_000_000_000, width: 9)
    buffer.append(": ")
    if Int(hit.probe) < probes.count {
      buffer.append(probes[Int(hit.probe)].event)
    } else {
      buffer.append("probetape:probe_\(hit.probe)")
    }
    buffer.append(isEntry ? ": (" : "__return: (")
    if !isEntry {
      buffer.append(hexadecimal: columns.functions[hit.place])
      buffer.append(" <- ")
    }
    buffer.append(hexadecimal: ip)
    buffer.append(")\n")
  }

  private static func text(_ frames: [ExportedFrame], _ ending: StackEnding) -> String {
    frames.map { frame in
      let symbol = frame.named.function.map {
        ExportText.line($0) + "+" + ExportText.hexadecimal(frame.named.distance)
      }
      return line(frame.named.frame.offset, symbol, frame.named.file?.path)
    }.joined()
  }

  private static func line(_ offset: UInt64, _ symbol: String?, _ path: String?) -> String {
    "\t\(ExportText.right(String(offset, radix: 16), 16)) \(symbol ?? "[unknown]") "
      + "(\(ExportText.line(path ?? "[unknown]")))\n"
  }

  private mutating func frame(_ probe: UInt32) {
    if Int(probe) < probes.count {
      buffer.append(probes[Int(probe)].frame)
    } else {
      buffer.append(Self.line(0, nil, nil))
    }
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

import ProbeEvents
import Replay
import TapeFormat

/// Folded stacks: the thread's name, the frames of the call's user stack from the outermost to the
/// innermost, and a number. Where the tape has no stack, the probed calls that are open stand for it,
/// from the oldest to the newest.
///
/// Equal stacks are added up while there is room; tools that read the format add up the rest.
struct FoldedWriter: ExportWriter {
  var buffer: ExportBuffer
  private let probes: [String]
  private let weight: FoldedWeight
  private var names = ThreadNames()
  private var sums: [String: UInt64] = [:]
  private var keyBytes = 0
  private var stacks = StackTexts()
  /// Stacks of open calls, by entry, with the tasks that have the call open: a fork copies it.
  private var open: [UInt64: (text: String, count: Int)] = [:]

  private static let keyBytesMax = 1 << 24

  init(header: TapeHeader, weight: FoldedWeight, buffer: ExportBuffer) {
    self.buffer = buffer
    self.weight = weight
    probes = header.probes.indices.map { ExportText.frame(header.probes.name(of: UInt32($0))) }
  }

  mutating func name(_ thread: ThreadIdentity, _ name: String) {
    names.set(thread, name)
  }

  mutating func hit(_ hit: FollowedHit, _ columns: HitColumns, stack: [OpenCall]) {
    guard hit.kind == .entry else { return }
    let isOpen = stack.last?.hit == hit.index
    let frames = stacks.text(hit, columns, Self.text)
    switch weight {
    case .calls:
      add(hit.thread, frames ?? text(stack, extra: isOpen ? nil : hit.probe), 1)
    case .time:
      if isOpen, let frames { open[hit.index] = (frames, 1) }
    }
  }

  mutating func enter(_ thread: ThreadIdentity, stack: [OpenCall]) {
    guard let call = stack.last else { return }
    open[call.hit]?.count += 1
  }

  mutating func leave(
    _ thread: ThreadIdentity, stack: [OpenCall], at time: UInt64, _ end: CallEnd
  ) {
    guard weight == .time, let call = stack.last else { return }
    let whole = time &- call.time
    add(
      thread, open[call.hit]?.text ?? text(stack, extra: nil),
      whole >= call.inside ? whole - call.inside : 0)
    open[call.hit]?.count -= 1
    if open[call.hit]?.count == 0 { open[call.hit] = nil }
  }

  mutating func end(_ conclusion: TapeConclusion) {
    writeAll()
  }

  /// Frames as they come behind the thread's name.
  private static func text(_ frames: [ExportedFrame], _ ending: StackEnding) -> String {
    frames.reversed().map { ";" + ExportText.frame($0.name) }.joined()
  }

  private func text(_ stack: [OpenCall], extra: UInt32?) -> String {
    var text = ""
    for call in stack { text += ";" + frame(call.probe) }
    if let extra { text += ";" + frame(extra) }
    return text
  }

  private mutating func add(_ thread: ThreadIdentity, _ stack: String, _ amount: UInt64) {
    guard amount > 0 else { return }
    let key = ExportText.frame(names[thread]) + stack
    if let known = sums[key] {
      sums[key] = known &+ amount
      return
    }
    keyBytes += key.utf8.count
    if keyBytes > Self.keyBytesMax { writeAll() }
    sums[key] = amount
  }

  private func frame(_ probe: UInt32) -> String {
    Int(probe) < probes.count ? probes[Int(probe)] : "probe_\(probe)"
  }

  private mutating func writeAll() {
    for (key, amount) in sums.sorted(by: { $0.key < $1.key }) {
      buffer.append("\(key) \(amount)\n")
    }
    sums.removeAll(keepingCapacity: true)
    keyBytes = 0
  }
}

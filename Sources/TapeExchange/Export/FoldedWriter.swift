import ProbeEvents
import Replay
import TapeFormat

/// Folded stacks: the thread's name, the probed calls from the oldest to the newest, and a number.
///
/// Equal stacks are added up while there is room; tools that read the format add up the rest.
struct FoldedWriter: ExportWriter {
  var buffer: ExportBuffer
  private let probes: [String]
  private let weight: FoldedWeight
  private var names = ThreadNames()
  private var sums: [String: UInt64] = [:]
  private var keyBytes = 0

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
    guard weight == .calls, hit.kind == .entry else { return }
    let isOpen = stack.last?.hit == hit.index
    add(hit.thread, stack, extra: isOpen ? nil : hit.probe, 1)
  }

  mutating func leave(
    _ thread: ThreadIdentity, stack: [OpenCall], at time: UInt64, _ end: CallEnd
  ) {
    guard weight == .time, let call = stack.last else { return }
    let whole = time &- call.time
    add(thread, stack, extra: nil, whole >= call.inside ? whole - call.inside : 0)
  }

  mutating func end(_ conclusion: TapeConclusion) {
    writeAll()
  }

  private mutating func add(
    _ thread: ThreadIdentity, _ stack: [OpenCall], extra: UInt32?, _ amount: UInt64
  ) {
    guard amount > 0 else { return }
    var key = ExportText.frame(names[thread])
    for call in stack { key += ";" + frame(call.probe) }
    if let extra { key += ";" + frame(extra) }
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

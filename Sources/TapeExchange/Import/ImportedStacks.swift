import ProbeEvents
import TapeFormat

/// The stacks that perf's callchains give, by the mappings of their processes.
///
/// They are what the kernel put into the file: what it got wrong around return trampolines stays wrong
/// (no registers and return addresses are there to tell), and an address that it did not repair is a
/// frame in `[uprobes]`.
struct ImportedStacks {
  /// The stacks so far; begins anew when it has become large.
  var table: StackTable { stacks.table }
  /// Hits that had one.
  private(set) var count: UInt64 = 0
  /// Whether the last stack brought frames that were not in the table.
  private(set) var hasNew = false

  private var stacks = AddressStacks()
  private var maps = ProcessMapTable()
  private var chain: [UInt64] = []

  /// Follows mappings, forks, new programs and ends.
  mutating func note(_ event: SideEvent) { maps.note(event) }

  /// The stack of a sample, of its user callchain; 0 when it has none.
  mutating func stack(of sample: PerfSample, _ record: PerfRecord) -> StackReference {
    hasNew = false
    guard !sample.callchain.isEmpty else { return 0 }
    chain.removeAll(keepingCapacity: true)
    for place in stride(from: sample.callchain.lowerBound, to: sample.callchain.upperBound, by: 8) {
      chain.append(record.bytes.number(at: place, as: UInt64.self))
    }
    let user = UserCallchain.frames(in: chain.span)
    guard !user.isEmpty else { return 0 }
    stacks.beginAnewIfLarge()
    let before = stacks.table.nodes.count
    let stack = stacks.reference(
      Array(chain[user]), UserCallchain.ending(count: user.count), of: sample.thread.process,
      in: maps)
    hasNew = stacks.table.nodes.count > before
    count += 1
    return stack
  }
}

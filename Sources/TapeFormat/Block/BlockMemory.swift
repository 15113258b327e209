import ProbeEvents

/// The columns of a block while it is being written; they live in a ``BlockMemory``.
struct BlockColumns {
  var judged: ColumnTables
  var cpus: Table<UInt16>
  var times: Table<UInt64>
  /// All registers, hit after hit.
  var registers: Table<UInt64>

  /// Copies what other columns hold.
  func copy(_ other: BlockColumns, hits: Int, words: Int, width: Int) {
    judged.kinds.copy(other.judged.kinds, hits)
    judged.flags.copy(other.judged.flags, hits)
    judged.probes.copy(other.judged.probes, hits)
    judged.threads.copy(other.judged.threads, hits)
    judged.instructionPointers.copy(other.judged.instructionPointers, hits)
    judged.stackPointers.copy(other.judged.stackPointers, hits)
    judged.links.copy(other.judged.links, hits)
    judged.functions.copy(other.judged.functions, hits)
    judged.words.copy(other.judged.words, words)
    judged.starts.copy(other.judged.starts, hits + 1)
    cpus.copy(other.cpus, hits)
    times.copy(other.times, hits)
    registers.copy(other.registers, hits * width)
  }
}

/// Memory for the columns of a block, as long as the object lives. What is not written yet is not
/// read either: a ``BlockBuffer`` counts what it has written.
final class BlockMemory {
  /// How many hits and words there is room for.
  let hits: Int
  let words: Int
  let columns: BlockColumns

  private let kindMemory: TableMemory<HitKind>
  private let flagMemory: TableMemory<HitFlags>
  private let probeMemory: TableMemory<UInt32>
  private let threadMemory: TableMemory<UInt32>
  private let startMemory: TableMemory<UInt32>
  private let cpuMemory: TableMemory<UInt16>
  /// Instruction pointers, stack pointers, links, functions, times, registers, words.
  private let longMemory: [TableMemory<UInt64>]

  init(hits: Int, words: Int, width: Int) {
    self.hits = hits
    self.words = words
    kindMemory = TableMemory(unwritten: hits)
    flagMemory = TableMemory(unwritten: hits)
    probeMemory = TableMemory(unwritten: hits)
    threadMemory = TableMemory(unwritten: hits)
    startMemory = TableMemory(unwritten: hits + 1)
    cpuMemory = TableMemory(unwritten: hits)
    longMemory = [hits, hits, hits, hits, hits, hits * width, words].map {
      TableMemory(unwritten: $0)
    }
    let judged = ColumnTables(
      kinds: kindMemory.table, flags: flagMemory.table, probes: probeMemory.table,
      threads: threadMemory.table, instructionPointers: longMemory[0].table,
      stackPointers: longMemory[1].table, links: longMemory[2].table,
      functions: longMemory[3].table, words: longMemory[6].table, starts: startMemory.table)
    columns = BlockColumns(
      judged: judged, cpus: cpuMemory.table, times: longMemory[4].table,
      registers: longMemory[5].table)
  }
}

import ProbeEvents

/// The memory that the models of a reader or writer work in, used again for each block.
final class ModelMemory {
  /// Stack words last seen, by address and thread.
  static let wordSlots = 8192
  static let entrySlots = 1024

  private let wordMemory = TableMemory<UInt64>(count: wordSlots, repeating: 0)
  private let slotMarkMemory = TableMemory<UInt64>(count: SlotMarks.rows, repeating: 0)
  private let historyMemory = TableMemory<UInt32>(count: CallContext.historySlots, repeating: 0)
  private let siteMemory = TableMemory<UInt32>(count: CallContext.siteSlots, repeating: 0)
  private let entryMemory = TableMemory<UInt32>(count: entrySlots, repeating: 0)
  private let sourceMemory = TableMemory<UInt8>(
    count: CallContext.siteSlots * RegisterFile.capacity, repeating: 0)
  private var threadMemory = TableMemory<ThreadState>(count: 64, repeating: ThreadState())
  private var belowMemory = TableMemory<UInt32>(count: 4096, repeating: 0)
  private var stepMemory = TableMemory<UInt64>(count: 4096, repeating: 0)
  private var firstWordMemory = TableMemory<UInt64>(count: 4096, repeating: 0)

  var words: Table<UInt64> { wordMemory.table }
  /// Which slots of ``words`` have a certain word; cleared by ``SlotMarks``.
  var slotMarks: Table<UInt64> { slotMarkMemory.table }
  var histories: Table<UInt32> { historyMemory.table }
  var sites: Table<UInt32> { siteMemory.table }
  var entries: Table<UInt32> { entryMemory.table }
  /// For each site and column, the source that last gave a register; not cleared by ``reset``.
  var sources: Table<UInt8> { sourceMemory.table }
  var threads: Table<ThreadState> { threadMemory.table }
  var below: Table<UInt32> { belowMemory.table }
  var steps: Table<UInt64> { stepMemory.table }
  var firstWords: Table<UInt64> { firstWordMemory.table }

  /// Makes everything as it is at the start of a block. The tables by hit need no clearing: an
  /// entry is written before it is named anywhere. That of the steps has one in front, for none.
  func reset(threads count: Int, hits: Int) {
    words.fill(Self.wordSlots, with: 0)
    histories.fill(CallContext.historySlots, with: 0)
    sites.fill(CallContext.siteSlots, with: 0)
    entries.fill(Self.entrySlots, with: 0)
    threadMemory = .grown(threadMemory, count, repeating: ThreadState())
    threads.fill(count, with: ThreadState())
    belowMemory = .grown(belowMemory, hits, repeating: 0)
    stepMemory = .grown(stepMemory, hits + 1, repeating: 0)
    firstWordMemory = .grown(firstWordMemory, hits, repeating: 0)
    steps[0] = 0
  }
}

extension TableMemory {
  /// Larger memory, unless this is large enough.
  fileprivate static func grown(
    _ memory: TableMemory, _ count: Int, repeating value: Element
  ) -> TableMemory {
    memory.table.count >= count ? memory : TableMemory(count: count * 2, repeating: value)
  }
}

import ProbeEvents

/// The hits and side events of a block while it is being written.
struct BlockBuffer {
  /// Hits.
  private(set) var count = 0
  /// Stack words of all windows.
  private(set) var wordCount = 0
  /// The threads of this block.
  private(set) var threadTable: [ThreadIdentity] = []
  var sideEvents = SideEventCodec.Encoder()
  var stacks = BlockStacks()
  /// The columns; what is behind the counts does not matter.
  private(set) var columns: BlockColumns
  private var memory: BlockMemory

  private let width: Int
  private let instructionPointer: Int
  private let stackPointer: Int
  private let linkRegister: Int?
  private var indices: [ThreadIdentity: UInt32] = [:]
  /// Where in ``threadTable`` a thread is likely to be, by the low bits of its number: threads on
  /// different CPUs take turns at every few hits.
  private var likely: InlineArray<16, UInt32> = InlineArray(repeating: 0)

  /// A buffer with room for so many hits; what is not used takes no memory.
  init(layout: RegisterLayout, hits: Int) {
    width = layout.count
    instructionPointer = layout.instructionPointer
    stackPointer = layout.stackPointer
    linkRegister = layout.linkRegister
    memory = BlockMemory(hits: hits, words: hits * 8, width: width)
    columns = memory.columns
    columns.judged.starts[0] = 0
  }

  var isEmpty: Bool { count == 0 && sideEvents.count == 0 }

  mutating func append(_ hit: BareHit, registers: Span<UInt64>, window: Span<UInt64>) {
    precondition(registers.count == width)
    makeRoom(words: window.count)
    let (hits, words) = (count, wordCount)
    let judged = columns.judged
    // There is room for one more hit in each column, and for the window, as was just made sure.
    unsafe judged.kinds[unchecked: hits] = hit.kind
    unsafe judged.flags[unchecked: hits] = hit.flags
    unsafe judged.probes[unchecked: hits] = hit.probe
    unsafe judged.threads[unchecked: hits] = index(of: hit.thread)
    unsafe judged.instructionPointers[unchecked: hits] = registers[instructionPointer]
    unsafe judged.stackPointers[unchecked: hits] = registers[stackPointer]
    if let linkRegister { judged.links[hits] = registers[linkRegister] }
    unsafe judged.functions[unchecked: hits] = hit.function
    unsafe columns.cpus[unchecked: hits] = hit.cpu
    unsafe columns.times[unchecked: hits] = hit.time
    columns.registers.copy(registers, to: hits * width)
    judged.words.copy(window, to: words)
    count = hits + 1
    wordCount = words + window.count
    unsafe judged.starts[unchecked: count] = UInt32(truncatingIfNeeded: wordCount)
  }

  mutating func removeAll() {
    count = 0
    wordCount = 0
    threadTable.removeAll(keepingCapacity: true)
    sideEvents = SideEventCodec.Encoder()
    indices.removeAll(keepingCapacity: true)
    stacks.removeAll()
  }

  /// Makes room for one more hit with a window of so many words, in memory that no copy of this
  /// buffer uses.
  @inline(__always)
  private mutating func makeRoom(words more: Int) {
    if !isKnownUniquelyReferenced(&memory) || count == memory.hits
      || memory.words - wordCount < more
    {
      grow(words: more)
    }
  }

  @inline(never)
  private mutating func grow(words more: Int) {
    var (hits, words) = (memory.hits, memory.words)
    if count == hits { hits *= 2 }
    while words - wordCount < more { words *= 2 }
    let larger = BlockMemory(hits: hits, words: words, width: width)
    larger.columns.copy(columns, hits: count, words: wordCount, width: width)
    memory = larger
    columns = larger.columns
  }

  /// A thread's index in the block's table, which it joins when it is new.
  @inline(__always)
  private mutating func index(of thread: ThreadIdentity) -> UInt32 {
    let slot = Int(thread.thread & 15)
    let guess = Int(likely[slot])
    if guess < threadTable.count, threadTable[guess] == thread { return likely[slot] }
    let index = searchedIndex(of: thread)
    likely[slot] = index
    return index
  }

  @inline(never)
  private mutating func searchedIndex(of thread: ThreadIdentity) -> UInt32 {
    if let index = indices[thread] { return index }
    let index = UInt32(threadTable.count)
    indices[thread] = index
    threadTable.append(thread)
    return index
  }
}

extension HitColumns {
  /// Makes the columns ready for the next block. The judged ones may keep their lengths and what is
  /// in them, since a block of the same size then need not clear them before it fills them.
  mutating func reuse(keepingJudged: Bool) {
    guard keepingJudged else { return removeAll() }
    count = 0
    threadTable.removeAll(keepingCapacity: true)
    cpus.removeAll(keepingCapacity: true)
    times.removeAll(keepingCapacity: true)
    registers.removeAll(keepingCapacity: true)
    removeStacks()
    sideEvents.removeAll(keepingCapacity: true)
  }

  /// Makes the columns empty and keeps their memory.
  mutating func removeAll() {
    count = 0
    kinds.removeAll(keepingCapacity: true)
    flags.removeAll(keepingCapacity: true)
    probes.removeAll(keepingCapacity: true)
    threads.removeAll(keepingCapacity: true)
    threadTable.removeAll(keepingCapacity: true)
    instructionPointers.removeAll(keepingCapacity: true)
    stackPointers.removeAll(keepingCapacity: true)
    linkRegisters.removeAll(keepingCapacity: true)
    functions.removeAll(keepingCapacity: true)
    windowWords.removeAll(keepingCapacity: true)
    windowStarts.removeAll(keepingCapacity: true)
    windowStarts.append(0)
    cpus.removeAll(keepingCapacity: true)
    times.removeAll(keepingCapacity: true)
    registers.removeAll(keepingCapacity: true)
    removeStacks()
    sideEvents.removeAll(keepingCapacity: true)
  }

  private mutating func removeStacks() {
    guard !stacks.isEmpty else { return }
    stacks.removeAll(keepingCapacity: true)
    // Whoever gave it may still have it, so that emptying it would be a copy.
    stackTable = StackTable()
  }
}

import ProbeEvents

/// The hits and side events of a block while it is being written.
struct BlockBuffer {
  var columns = HitColumns()
  var sideEvents = SideEventCodec.Encoder()
  var stacks = BlockStacks()
  private var indices: [ThreadIdentity: UInt32] = [:]
  private var latest: (thread: ThreadIdentity, index: UInt32)?

  var isEmpty: Bool { columns.count == 0 && sideEvents.count == 0 }

  mutating func append(_ hit: Hit, window: Span<UInt64>, layout: RegisterLayout) {
    columns.count += 1
    columns.kinds.append(hit.kind)
    columns.flags.append(hit.flags)
    columns.probes.append(hit.probe)
    columns.threads.append(index(of: hit.thread))
    columns.instructionPointers.append(hit.registers[layout.instructionPointer])
    columns.stackPointers.append(hit.registers[layout.stackPointer])
    if let link = layout.linkRegister { columns.linkRegisters.append(hit.registers[link]) }
    columns.functions.append(hit.function)
    columns.windowWords.append(window)
    columns.windowStarts.append(UInt32(columns.windowWords.count))
    columns.cpus.append(hit.cpu)
    columns.times.append(hit.time)
    columns.registers.append(hit.registers.values.span.extracting(first: layout.count))
  }

  mutating func removeAll() {
    columns.removeAll()
    sideEvents = SideEventCodec.Encoder()
    indices.removeAll(keepingCapacity: true)
    latest = nil
    stacks.removeAll()
  }

  /// A thread's index in the block's table, which it joins when it is new.
  private mutating func index(of thread: ThreadIdentity) -> UInt32 {
    if let latest, latest.thread == thread { return latest.index }
    let next = UInt32(columns.threadTable.count)
    let index = indices[thread] ?? next
    if index == next {
      indices[thread] = next
      columns.threadTable.append(thread)
    }
    latest = (thread, index)
    return index
  }
}

extension [UInt64] {
  /// Appends all words of a span at once.
  fileprivate mutating func append(_ words: Span<UInt64>) {
    // The buffer spans the words, which are copied before the call returns.
    unsafe words.withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
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
    stackTable.removeAll()
  }
}

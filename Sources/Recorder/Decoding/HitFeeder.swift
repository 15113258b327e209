import ProbeEvents
import TapeFormat

/// Turns records, already in order, into hits and side events, and gives them to the sink.
struct HitFeeder {
  /// What was delivered so far.
  private(set) var entries: UInt64 = 0
  private(set) var returns: UInt64 = 0
  /// Dropped records that the rings told of, by CPU.
  private(set) var lost: [UInt16: UInt64] = [:]
  /// The trampolines of the processes seen.
  var trampolines: TrampolineWatch
  /// When the recording ended. Samples taken later are passed over: events are disabled one after the
  /// other, and calls that are entered meanwhile would show returns without entries.
  var end: UInt64 = .max

  let sink: any RecordingSink
  private let table: EventTable
  private let layout: RegisterLayout
  private let columnCount: Int
  /// What stands for the registers of a hit without any.
  private let noRegisters: [UInt64]
  private let codeSegment: Int?
  private let tracepoints: KernelTracepoints
  private var families: TaskFamilies
  private var forks = PendingForks()
  /// Nil where no lists are read: it asks two tables by thread at each hit, which is a sixth of what a
  /// hit takes of our time.
  private var witnesses: WitnessMatcher?

  /// A feeder for the samples of the given events.
  init(
    sink: any RecordingSink, table: EventTable, architecture: Architecture,
    tracepoints: KernelTracepoints, families: TaskFamilies
  ) {
    self.sink = sink
    self.table = table
    layout = architecture.registerLayout
    columnCount = layout.count
    noRegisters = [UInt64](repeating: 0, count: layout.count)
    codeSegment = layout.codeSegment
    self.tracepoints = tracepoints
    self.families = families
    trampolines = TrampolineWatch()
    witnesses = table.hasWitness ? WitnessMatcher() : nil
  }

  /// Records dropped, in all.
  var lostCount: UInt64 { lost.values.reduce(0, +) }

  /// Takes the next record.
  mutating func feed(_ record: Span<UInt64>, cpu: UInt16, at time: UInt64) throws(TapeError) {
    let header = record[0]
    guard PerfRecord.kind(header) == PerfRecord.Kind.sample else {
      return try feedSideBand(record, cpu: cpu, at: time)
    }
    guard time <= end, let event = table[record[1]] else { return }
    let thread = PerfRecord.thread(record[3])
    if event.role == .witness { return try feedWitness(record, thread: thread, at: time) }
    guard families.accepts(event.owner, for: thread.thread) else { return }
    switch event.role {
    case .hit(let probe, let kind, let functionOffset, let hasCallchain):
      try flushForks(before: thread, at: time)
      let callchain = hasCallchain ? PerfRecord.callchain(record) : 0..<0
      try feedHit(
        record, probe: probe, kind: kind, functionOffset: functionOffset, callchain: callchain,
        thread: thread, cpu: cpu)
    case .signal:
      try flushForks(before: thread, at: time)
      try feedSignal(record, thread: thread, at: time)
    case .newTask:
      let child = Int32(truncatingIfNeeded: raw(record, tracepoints.newTaskChild))
      let flags = raw(record, tracepoints.newTaskFlags)
      if let fork = forks.take(child: child) { try emit(fork, cloneFlags: flags, at: time) }
    case .sideBand, .witness:
      break
    }
  }

  /// Delivers what waits for a record that did not come.
  mutating func finish(at time: UInt64) throws(TapeError) {
    while let fork = forks.takeFirst() { try emit(fork, cloneFlags: nil, at: time) }
  }

  /// Gives a side event to the sink.
  func emit(_ event: SideEvent, at time: UInt64) throws(TapeError) {
    try sink.receive(TimedSideEvent(time: time, event: event))
  }

  /// Counts and places dropped records.
  mutating func noteLost(_ count: UInt64, cpu: UInt16, at time: UInt64) throws(TapeError) {
    lost[cpu, default: 0] += count
    try emit(.lost(LostHits(count: count, cpu: cpu)), at: time)
  }

  // MARK: samples

  private mutating func feedHit(
    _ record: Span<UInt64>, probe: UInt32, kind: HitKind, functionOffset: Int,
    callchain: Range<Int>, thread: ThreadIdentity, cpu: UInt16
  ) throws(TapeError) {
    let raw = max(PerfRecord.sampleRaw, callchain.upperBound)
    let part = registerPart(record, raw: raw)
    let hit = BareHit(
      kind: kind, flags: part.flags, cpu: cpu, probe: probe, thread: thread, time: record[4],
      function: PerfRecord.number(
        record, byte: raw * 8 + 4 + functionOffset, size: 8))
    let index = part.columns.upperBound
    var window = index..<index
    // The stack's size, and after that many bytes (none: nothing) how many of them are real.
    let sampled = Int(record[index]) / 8
    if sampled > 0 {
      let real = min(Int(clamping: record[index + 1 + sampled]) / 8, sampled)
      window = (index + 1)..<(index + 1 + real)
    }
    switch kind {
    case .entry: entries += 1
    case .return:
      returns += 1
      if !trampolines.isKnown(thread.process) { try lookForTrampoline(of: thread, at: hit.time) }
    }
    guard !part.columns.isEmpty else {
      return try sink.receive(
        hit, registers: noRegisters.span, window: record.extracting(window),
        callchain: record.extracting(callchain))
    }
    let first = part.columns.lowerBound
    if let witness = witnesses?.take(
      at: kind, of: thread, instructionPointer: record[first + layout.instructionPointer],
      stackPointer: record[first + layout.stackPointer])
    {
      try emit(.witness(witness), at: hit.time)
    }
    try sink.receive(
      hit, registers: record.extracting(part.columns), window: record.extracting(window),
      callchain: record.extracting(callchain))
  }

  private mutating func feedWitness(
    _ record: Span<UInt64>, thread: ThreadIdentity, at time: UInt64
  ) throws(TapeError) {
    guard let list = WitnessRecord(record), let witness = witnesses?.take(list, of: thread) else {
      return
    }
    try emit(.witness(witness), at: time)
  }

  private mutating func feedSignal(
    _ record: Span<UInt64>, thread: ThreadIdentity, at time: UInt64
  ) throws(TapeError) {
    let columns = registerPart(record, raw: PerfRecord.sampleRaw).columns
    func register(_ column: Int) -> UInt64 {
      columns.isEmpty ? 0 : record[columns.lowerBound + column]
    }
    let handler = raw(record, tracepoints.signalHandler)
    let delivery = SignalDelivery(
      thread: thread, number: Int32(truncatingIfNeeded: raw(record, tracepoints.signalNumber)),
      code: Int32(truncatingIfNeeded: raw(record, tracepoints.signalCode)),
      // SIG_DFL is 0 and SIG_IGN is 1.
      isHandled: handler > 1,
      instructionPointer: register(layout.instructionPointer),
      stackPointer: register(layout.stackPointer))
    trampolines.note(delivery)
    try emit(.signal(delivery), at: time)
  }

  /// Where the registers are, none when there are none, and what is special about them. They come
  /// after the raw data, which has its 4 bytes of size before it.
  private func registerPart(
    _ record: Span<UInt64>, raw: Int
  ) -> (columns: Range<Int>, flags: HitFlags) {
    let size = Int(UInt32(truncatingIfNeeded: record[raw]))
    let index = raw + (4 + size) / 8
    // enum perf_sample_regs_abi: none, 32, 64.
    let abi = record[index]
    guard abi != 0 else { return ((index + 1)..<(index + 1), .registersMissing) }
    let columns = (index + 1)..<(index + 1 + columnCount)
    // 0x23 is __USER32_CS: 32-bit user code on a 64-bit kernel.
    if let codeSegment, record[columns.lowerBound + codeSegment] == 0x23 {
      return (columns, .compat)
    }
    return (columns, abi == 1 ? .compat : [])
  }

  private func raw(_ record: Span<UInt64>, _ field: EventFormat.Field) -> UInt64 {
    PerfRecord.number(
      record, byte: PerfRecord.sampleRaw * 8 + 4 + field.offset, size: field.size)
  }

  // MARK: side band

  private mutating func feedSideBand(
    _ record: Span<UInt64>, cpu: UInt16, at time: UInt64
  ) throws(TapeError) {
    let header = record[0]
    let end = PerfRecord.wordCount(header) - PerfRecord.trailer
    switch PerfRecord.kind(header) {
    case PerfRecord.Kind.lost:
      return try noteLost(record[2], cpu: cpu, at: time)
    case PerfRecord.Kind.lostSamples:
      return try noteLost(record[1], cpu: cpu, at: time)
    default:
      break
    }
    let current = PerfRecord.thread(record[end])
    guard let event = table[record[end + 3]],
      families.accepts(event.owner, for: current.thread)
    else { return }
    try flushForks(before: current, at: time)
    switch PerfRecord.kind(header) {
    case PerfRecord.Kind.mmap2:
      if let mapping = SideBandRecord.mapping(record, end: end) {
        trampolines.note(mapping)
        try emit(.mapping(mapping), at: time)
      }
    case PerfRecord.Kind.comm:
      let thread = PerfRecord.thread(record[1])
      let name = PerfRecord.text(record, words: 2..<end)
      if PerfRecord.misc(header) & PerfRecord.miscExec != 0 {
        trampolines.noteNewAddressSpace(thread.process)
        try emit(.exec(thread, name), at: time)
      } else {
        try emit(.threadName(thread, name), at: time)
      }
    case PerfRecord.Kind.fork:
      let fork = SideBandRecord.fork(record)
      families.noteFork(parent: fork.parent.thread, child: fork.child.thread)
      if tracepoints.hasNewTask {
        forks.add(fork)
      } else {
        try emit(fork, cloneFlags: nil, at: time)
      }
    case PerfRecord.Kind.exit:
      let thread = SideBandRecord.fork(record).child
      families.noteExit(thread.thread)
      trampolines.noteExit(thread)
      witnesses?.forget(thread)
      try emit(.exit(thread), at: time)
    default:
      break
    }
  }

  private mutating func emit(
    _ fork: TaskFork, cloneFlags: UInt64?, at time: UInt64
  ) throws(TapeError) {
    var fork = fork
    fork.cloneFlags = cloneFlags
    trampolines.note(fork)
    try emit(.fork(fork), at: time)
  }

  /// A fork waits for its clone flags, which the next record of the parent brings. Should that be
  /// lost, it must still come before whatever the two do next.
  @inline(__always)
  private mutating func flushForks(before thread: ThreadIdentity, at time: UInt64) throws(TapeError)
  {
    if !forks.isEmpty { try flushWaitingForks(before: thread, at: time) }
  }

  @inline(never)
  private mutating func flushWaitingForks(
    before thread: ThreadIdentity, at time: UInt64
  ) throws(TapeError) {
    while let fork = forks.take(involving: thread.thread) {
      try emit(fork, cloneFlags: nil, at: time)
    }
  }

  private mutating func lookForTrampoline(of thread: ThreadIdentity, at time: UInt64)
    throws(TapeError)
  {
    guard let mapping = trampolines.lookUp(thread.process) else { return }
    try emit(.mapping(mapping), at: time)
  }
}

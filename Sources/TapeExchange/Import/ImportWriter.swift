import ProbeEvents
import TapeFormat

/// The second walk through a perf.data: writes the tape.
struct ImportWriter: PerfEventSink {
  private(set) var writer: TapeWriter
  /// Dropped samples that the kernel counted for each event, without saying when.
  private(set) var lostSamples: UInt64 = 0
  /// Hits that have a stack.
  var stackCount: UInt64 { stacks.count }
  /// Time of the last event.
  private(set) var endTime: UInt64

  private let plan: ImportPlan
  private let layout: RegisterLayout
  /// Threads whose beginning, or presence at the beginning, is on the tape.
  private var known: Set<Int32> = []
  private var window: [UInt64] = []
  private var stacks = ImportedStacks()
  private let names: (StackTable) -> [StackSymbol]

  init(
    _ plan: ImportPlan, options: TapeWriterOptions, output: any TapeOutput,
    names: @escaping (StackTable) -> [StackSymbol]
  ) throws(ExchangeError) {
    self.plan = plan
    self.names = names
    layout = plan.header.kernel.architecture.registerLayout
    endTime = plan.startTime
    do {
      writer = try TapeWriter(header: plan.header, options: options, output: output)
    } catch {
      throw .tape(error)
    }
  }

  /// Writes what an event is on a tape.
  mutating func receive(_ event: PerfEvent, _ session: PerfSession) throws(ExchangeError) {
    endTime = max(endTime, event.time)
    do {
      switch event.kind {
      case .sample(let sample): try write(sample, event)
      case .side(let side): try write(side, event)
      }
    } catch {
      throw .tape(error)
    }
  }

  /// Ends the tape. One that is not whole gets no trailer, which is what marks it incomplete.
  mutating func finish(isWhole: Bool, lostMore: UInt64) throws(ExchangeError) {
    do {
      guard isWhole else { return try writer.flush() }
      // The kernel's exact counts tell of the same losses as the records in place, and of those at
      // the end, which no record tells of.
      let (lost, overflows) = max(writer.lost, lostSamples).addingReportingOverflow(lostMore)
      try writer.finish(
        TapeTrailer(
          targetExit: .unknown, entries: writer.entries, returns: writer.returns,
          lost: overflows ? .max : lost, endTime: endTime))
    } catch {
      throw .tape(error)
    }
  }

  // MARK: hits

  private mutating func write(_ sample: PerfSample, _ event: PerfEvent) throws(TapeError) {
    guard sample.event < plan.hits.count, let hits = plan.hits[sample.event] else { return }
    try introduce(sample.thread, at: event.time)
    var hit = Hit(
      kind: hits.kind, cpu: event.cpu, probe: hits.probe, thread: sample.thread,
      time: event.time, function: hits.event.function(sample, event.record) ?? 0,
      registers: RegisterFile())
    hit.flags = hits.registers.read(sample, event.record, into: &hit.registers)
    if !hits.registers.has(layout.instructionPointer) || hit.flags.contains(.registersMissing) {
      hit.registers[layout.instructionPointer] = address(sample, hits, event.record)
    }
    // Moved out for the while, as the writer beside it is changed with it in hand.
    var words = window
    window = []
    defer { window = words }
    words.removeAll(keepingCapacity: true)
    // Whole words only, and no more than a tape's window has.
    for word in 0..<min(sample.stack.count / 8, TapeLimits.wordsPerWindow) {
      words.append(
        event.record.bytes.number(at: sample.stack.lowerBound + word * 8, as: UInt64.self))
    }
    let stack = stacks.stack(of: sample, event.record)
    try writer.append(hit, window: words.span, stack: stack, of: stacks.table)
    if stacks.hasNew { try writer.append(names(stacks.table)) }
  }

  /// Where a hit is, without registers: an entry at its function, a return where it goes to.
  private func address(
    _ sample: PerfSample, _ hits: ImportPlan.Hits, _ record: PerfRecord
  ) -> Address {
    switch hits.kind {
    case .entry: sample.ip
    case .return: sample.rawNumber(hits.event.returnOffset, record) ?? sample.ip
    }
  }

  // MARK: side events

  private mutating func write(_ side: SideBand, _ event: PerfEvent) throws(TapeError) {
    switch side {
    case .mapping(var mapping):
      if mapping.buildID.isEmpty { mapping.buildID = plan.buildIDs[mapping.path] ?? [] }
      try emit(.mapping(mapping), event.time)
    case .name(let thread, let name, let isExec):
      if isExec {
        known.insert(thread.thread)
        try emit(.exec(thread, name), event.time)
      } else {
        if event.time == 0 { try introduce(thread, at: 0) }
        try emit(.threadName(thread, name), event.time)
      }
    case .fork(let fork):
      // Those without time are perf's way to say that a thread is there.
      guard event.time > 0 else { return }
      known.insert(fork.child.thread)
      try emit(.fork(fork), event.time)
    case .exit(let thread):
      known.remove(thread.thread)
      try emit(.exit(thread), event.time)
    case .lost(let count):
      try emit(.lost(LostHits(count: count, cpu: event.cpu)), event.time)
    case .lostSamples(let count):
      let (sum, overflows) = lostSamples.addingReportingOverflow(count)
      lostSamples = overflows ? .max : sum
    }
  }

  /// A thread whose beginning was not seen ran before.
  private mutating func introduce(_ thread: ThreadIdentity, at time: UInt64) throws(TapeError) {
    guard known.insert(thread.thread).inserted else { return }
    try emit(.attached(thread), time)
  }

  private mutating func emit(_ event: SideEvent, _ time: UInt64) throws(TapeError) {
    stacks.note(event)
    try writer.append(TimedSideEvent(time: max(time, plan.startTime), event: event))
  }
}

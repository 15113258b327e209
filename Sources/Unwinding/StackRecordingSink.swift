public import ProbeEvents
public import Recorder
import Replay
public import TapeFormat

/// Where the stacks of a recording come from.
public enum StackSource: Sendable, Hashable {
  /// Registers and stack bytes, by the files' unwind information.
  case window
  /// The kernel's callchains, by frame pointers.
  case callchain
}

/// Makes the stack of every hit while it is recorded and writes the tape, with less of the stack bytes
/// than were needed for unwinding.
///
/// Unwinding must never be the reason that a hit is lost: hits that come late are written without a
/// stack, and counted, until those that come are young again.
public final class StackRecordingSink: RecordingSink {
  /// What became of the hits.
  public struct Counts: Sendable, Hashable {
    /// Hits with a stack.
    public var unwound: UInt64 = 0
    /// Hits that were written without one, because unwinding had fallen behind.
    public var leftOut: UInt64 = 0
  }

  /// Hits at which those collected are unwound.
  private static let hitsTogether = 1024
  /// Stack words at which those collected are unwound, 8 MiB.
  private static let wordsTogether = 1 << 20
  /// Bytes that may wait for us before stacks are left out: a quarter of what the recorder keeps.
  private static let backlogLimit = 128.0 * 1_048_576

  /// The writer, with its counts.
  public private(set) var writer: TapeWriter
  /// What became of the hits.
  public private(set) var counts = Counts()
  /// Files that could not be used and why.
  public var notes: [String] { unwinding.unwinder.notes }

  private let layout: RegisterLayout
  private let wordsKept: Int
  private let now: () -> UInt64
  private var unwinding: TapeUnwinding
  private let source: StackSource
  private var chains = CallchainStacks.Chains()
  private var columns = HitColumns()
  private var hits: [Hit] = []
  private var threads: [ThreadIdentity: UInt32] = [:]
  private var flow = Flow()

  /// Begins a tape and writes its header.
  ///
  /// - Parameters:
  ///   - stackBytes: how much of each window the tape keeps.
  ///   - now: CLOCK_MONOTONIC in nanoseconds.
  /// - Throws: what ``TapeWriter`` throws.
  public init(
    header: TapeHeader, stackBytes: UInt32, source: StackSource = .window, search: ImageSearch,
    options: TapeWriterOptions = TapeWriterOptions(), output: any TapeOutput,
    now: @escaping () -> UInt64
  ) throws(TapeError) {
    var kept = header
    kept.stackBytes = stackBytes
    writer = try TapeWriter(header: kept, options: options, output: output)
    layout = header.kernel.architecture.registerLayout
    wordsKept = Int(stackBytes / 8)
    self.now = now
    self.source = source
    unwinding = TapeUnwinding(header: header, search: search)
  }

  /// Collects a hit.
  public func receive(
    _ bare: BareHit, registers: Span<UInt64>, window: Span<UInt64>, callchain: Span<UInt64>
  ) throws(TapeError) {
    let hit = Hit(bare, registers: registers)
    hits.append(hit)
    if source == .callchain { chains.append(callchain) }
    columns.append(hit, window: window, thread: thread(hit.thread), layout)
    if hits.count >= Self.hitsTogether || columns.windowWords.count >= Self.wordsTogether {
      try deliver()
    }
  }

  /// Collects a side event.
  public func receive(_ event: TimedSideEvent) throws(TapeError) {
    columns.sideEvents.append(PositionedSideEvent(beforeHit: hits.count, event: event))
    if columns.sideEvents.count >= Self.hitsTogether { try deliver() }
  }

  /// Unwinds what was collected and ends the block.
  public func flush() throws(TapeError) {
    try deliver()
    try writer.flush()
  }

  /// Writes what is left and the trailer.
  public func finish(_ trailer: TapeTrailer) throws(TapeError) {
    try deliver()
    try writer.finish(trailer)
  }

  private func thread(_ identity: ThreadIdentity) -> UInt32 {
    if let known = threads[identity] { return known }
    let place = UInt32(columns.threadTable.count)
    columns.threadTable.append(identity)
    threads[identity] = place
    return place
  }

  private func deliver() throws(TapeError) {
    guard !hits.isEmpty || !columns.sideEvents.isEmpty else { return }
    makeStacks()
    try writer.append(unwinding.newSymbols())
    try write()
    columns = HitColumns()
    hits.removeAll(keepingCapacity: true)
    threads.removeAll(keepingCapacity: true)
  }

  private func makeStacks() {
    guard source == .window else {
      unwinding.take(chains, into: &columns)
      chains.removeAll()
      counts.unwound += UInt64(hits.count)
      return
    }
    flow.take(hits, words: columns.windowWords.count, columns: layout.count)
    let isLate = flow.backlog(at: now()) > Self.backlogLimit
    unwinding.unwind(&columns, isLate: isLate)
    if isLate { counts.leftOut += UInt64(hits.count) } else { counts.unwound += UInt64(hits.count) }
  }

  private func write() throws(TapeError) {
    let columns = columns
    for step in columns.order {
      switch step {
      case .event(let event): try writer.append(event)
      case .hit(let hit):
        let start = Int(columns.windowStarts[hit])
        let end = min(Int(columns.windowStarts[hit + 1]), start + wordsKept)
        try writer.append(
          hits[hit], window: columns.windowWords.span.extracting(start..<end),
          stack: columns.stacks[hit], of: columns.stackTable)
      }
    }
  }
}

/// How many bytes of hits wait behind those that were taken last, as far as that can be told from how
/// old they are and how many came in the time before them.
private struct Flow {
  /// Shortest time that a rate is taken over, nanoseconds.
  private static let shortest: UInt64 = 100_000_000

  private var start: UInt64 = 0
  private var latest: UInt64 = 0
  private var bytes = 0.0
  /// Bytes a nanosecond, over the last whole stretch of time.
  private var rate = 0.0

  mutating func take(_ hits: [Hit], words: Int, columns: Int) {
    guard let first = hits.first, let last = hits.last else { return }
    if start == 0 { start = first.time }
    bytes += Double((words + hits.count * (columns + 8)) * 8)
    latest = max(latest, last.time)
    guard latest > start, latest - start >= Self.shortest else { return }
    rate = bytes / Double(latest - start)
    start = latest
    bytes = 0
  }

  func backlog(at now: UInt64) -> Double {
    guard now > latest else { return 0 }
    // Before the first stretch is over, what came so far stands for it.
    let rate = self.rate > 0 ? self.rate : bytes / Double(Self.shortest)
    return rate * Double(now - latest)
  }
}

extension HitColumns {
  /// Adds a hit with all its columns.
  fileprivate mutating func append(
    _ hit: Hit, window: Span<UInt64>, thread: UInt32, _ layout: RegisterLayout
  ) {
    count += 1
    kinds.append(hit.kind)
    flags.append(hit.flags)
    probes.append(hit.probe)
    threads.append(thread)
    instructionPointers.append(hit.registers[layout.instructionPointer])
    stackPointers.append(hit.registers[layout.stackPointer])
    if let link = layout.linkRegister { linkRegisters.append(hit.registers[link]) }
    functions.append(hit.function)
    for word in window.indices { windowWords.append(window[word]) }
    windowStarts.append(UInt32(windowWords.count))
    cpus.append(hit.cpu)
    times.append(hit.time)
    for column in 0..<layout.count { registers.append(hit.registers[column]) }
  }
}

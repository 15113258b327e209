import CPerfEvent
import Glibc
import ProbeEvents
import TapeFormat

/// Carries the hits of a recording from the rings to the sink, until it is over.
struct RecordingPump: ~Copyable {
  /// Between two flushes of the sink, nanoseconds: with the drainer's rounds below 100 ms in all.
  static let flushInterval: UInt64 = 50_000_000
  /// Between two looks at whether the target has ended, nanoseconds.
  static let pollInterval: UInt64 = 20_000_000
  /// Between two calls of progress, nanoseconds.
  static let progressInterval: UInt64 = 200_000_000

  private let events: PerfEventSet
  private let tracepoints: KernelTracepoints
  private let architecture: Architecture
  private var removals: RemovalWatch
  private let queue: RoundQueue
  private var merger: RingMerger
  /// Nil once it was stopped.
  private var thread: Drainer.Thread?

  /// Starts to drain the rings into memory.
  init(
    events: PerfEventSet, tracepoints: KernelTracepoints, removals: RemovalWatch,
    architecture: Architecture
  ) throws(RecorderError) {
    let queue: RoundQueue
    let thread: Drainer.Thread
    do throws(SystemFailure) {
      queue = try RoundQueue(rings: events.rings)
      thread = try Drainer(rings: events.rings, queue: queue).start()
    } catch {
      throw RecorderError(error)
    }
    self.events = events
    self.tracepoints = tracepoints
    self.removals = removals
    self.architecture = architecture
    self.queue = queue
    self.thread = consume thread
    merger = RingMerger(cpus: events.rings.map(\.cpu))
  }

  /// Makes the sink, lets the target run and records until the end.
  mutating func run(
    header: TapeHeader, target: inout RecordingTarget, threads: [ThreadIdentity],
    signals: borrowing SignalWatch, tracefs: borrowing Tracefs,
    progress: (RecordingProgress) -> Void,
    makeSink: (TapeHeader) throws -> any RecordingSink
  ) throws(RecorderError) -> RecordingSummary {
    cperf_keep_buffers()
    let sink: any RecordingSink
    do {
      sink = try makeSink(header)
    } catch let error as TapeError {
      throw .tape(error)
    } catch {
      throw .sink("\(error)")
    }
    let families =
      threads.isEmpty ? TaskFamilies() : TaskFamilies(attached: Set(threads.map(\.thread)))
    var feeder = HitFeeder(
      sink: sink, table: events.table, architecture: architecture, tracepoints: tracepoints,
      families: families)
    do throws(TapeError) {
      try announce(threads, to: &feeder, at: header.startTime)
    } catch {
      throw .tape(error)
    }
    if !removals.isEmpty {
      let hits = events.entryCounts()
      removals.start(UprobeProfile(tracefs), hits: hits)
    }
    try target.release()
    do throws(TapeError) {
      let exit = try pump(
        into: &feeder, from: header.startTime, target: &target, signals: signals,
        tracefs: tracefs, progress: progress)
      return try finish(&feeder, exit: exit, wholeFrom: header.wholeFrom)
    } catch {
      throw .tape(error)
    }
  }

  /// What there is to know about threads that ran already, before their first hit.
  private func announce(
    _ threads: [ThreadIdentity], to feeder: inout HitFeeder, at time: UInt64
  ) throws(TapeError) {
    var processes: Set<Int32> = []
    for thread in threads {
      if processes.insert(thread.process).inserted {
        for mapping in ProcessMaps.executable(of: thread.process) {
          feeder.trampolines.note(mapping)
          try feeder.emit(.mapping(mapping), at: time)
        }
      }
      try feeder.emit(.attached(thread), at: time)
      let path = "/proc/\(thread.process)/task/\(thread.thread)/comm"
      if let name = try? Syscalls.text(of: path) {
        try feeder.emit(.threadName(thread, name), at: time)
      }
    }
  }

  private mutating func pump(
    into feeder: inout HitFeeder, from start: UInt64, target: inout RecordingTarget,
    signals: borrowing SignalWatch, tracefs: borrowing Tracefs,
    progress: (RecordingProgress) -> Void
  ) throws(TapeError) -> TargetExit {
    var haste = Haste()
    var flushed = Interval(nanoseconds: Self.flushInterval)
    var polled = Interval(nanoseconds: Self.pollInterval)
    var told = Interval(nanoseconds: Self.progressInterval)
    var signalCount = 0
    while true {
      var rounds = queue.pop(milliseconds: Drainer.idleMilliseconds)[...]
      // With nothing to deliver the clock still runs.
      repeat {
        if let round = rounds.popFirst() { try deliver(round, to: &feeder) }
        haste.adapt(to: queue.backlogBytes)
        let now = Syscalls.now
        if flushed.isOver(at: now) { try feeder.sink.flush() }
        if told.isOver(at: now) {
          progress(
            RecordingProgress(
              hits: feeder.entries + feeder.returns, lost: feeder.lostCount,
              elapsed: now - start, backlogBytes: queue.backlogBytes))
        }
        while let signal = signals.next() {
          signalCount += 1
          target.pass(signal)
        }
        var exit = signalCount >= target.signalsToEnd ? target.unfinished : nil
        if exit == nil, polled.isOver(at: now) { exit = target.poll() }
        if let exit {
          // What is not drained yet follows behind these.
          if !removals.isEmpty { removals.stop(UprobeProfile(tracefs)) }
          feeder.end = Syscalls.now
          events.disableAll()
          try deliver(rest: rounds, to: &feeder)
          return exit
        }
      } while !rounds.isEmpty
    }
  }

  private mutating func deliver(
    rest rounds: ArraySlice<Round>, to feeder: inout HitFeeder
  ) throws(TapeError) {
    for round in rounds { try deliver(round, to: &feeder) }
  }

  private mutating func deliver(
    _ round: Round, to feeder: inout HitFeeder
  ) throws(TapeError) {
    let queue = queue
    let bytes = round.byteCount
    try merger.add(round, to: &feeder) { queue.recycle($0) }
    queue.finish(bytes)
  }

  /// Everything is disabled already.
  private mutating func finish(
    _ feeder: inout HitFeeder, exit: TargetExit, wholeFrom: UInt64
  ) throws(TapeError) -> RecordingSummary {
    var summary = RecordingSummary()
    summary.endTime = Syscalls.now
    thread = nil
    try deliver(rest: queue.pop(milliseconds: 0)[...], to: &feeder)
    try feeder.finish(at: summary.endTime)
    // Rings tell of a loss with the next record that fits; of the last one only the counters know.
    for (ring, count) in zip(events.rings, events.lostByCPU() ?? []) {
      let told = feeder.lost[ring.cpu] ?? 0
      if count > told { try feeder.noteLost(count - told, cpu: ring.cpu, at: summary.endTime) }
    }
    let missing = removals.missing(hits: events.entryCounts())
    if !missing.isEmpty {
      let count = missing.reduce(0) { $0 + $1.count }
      try feeder.noteLost(count, cpu: LostHits.unknownCPU, at: summary.endTime)
      summary.warnings.append(RemovalWatch.warning(missing))
    }
    summary.entries = feeder.entries
    summary.returns = feeder.returns
    summary.lost = feeder.lostCount
    summary.targetExit = exit
    summary.lateFacts = feeder.trampolines.facts
    summary.wholeFrom = wholeFrom
    summary.warnings += events.warnings
    try feeder.sink.finish(
      TapeTrailer(
        targetExit: exit, entries: summary.entries, returns: summary.returns, lost: summary.lost,
        endTime: summary.endTime, lateFacts: summary.lateFacts))
    return summary
  }
}

/// One event of a perf.data in its place.
struct PerfEvent {
  enum Kind {
    case sample(PerfSample)
    case side(SideBand)
  }

  var kind: Kind
  /// The events' clock, nanoseconds; 0 for what perf made up about the time before.
  var time: UInt64
  var cpu: UInt16
  var record: PerfRecord
}

/// Gets the events of a perf.data in the order in which they happened.
protocol PerfEventSink {
  mutating func receive(_ event: PerfEvent, _ session: PerfSession) throws(ExchangeError)
}

/// Walks once through a perf.data: decompresses, puts in order, drops what is there twice, reads.
///
/// Memory does not grow with the file: see ``RecordQueue``.
struct PerfWalk {
  /// What is known about the file, at the end all of it.
  private(set) var session: PerfSession
  /// Samples that perf wrote twice, byte for byte.
  private(set) var duplicates: UInt64 = 0
  /// Records of a known kind that do not decode, and samples of no known event.
  private(set) var malformed: UInt64 = 0
  /// Time of the first record that has one.
  private(set) var firstTime: UInt64 = .max
  /// Time of the last record.
  private(set) var lastTime: UInt64 = 0
  /// The latest time in the first round of reading, when others follow it.
  private(set) var firstRoundEnd: UInt64?

  private var stream: RecordStream
  private var queue = RecordQueue()
  /// The last sample of each CPU as it came in the file.
  private var lastSample: [UInt32: [UInt8]] = [:]
  private var endOfSoFar: UInt64?

  init(_ input: PerfInput) throws(ExchangeError) {
    let header = try PerfFileHeader(input)
    session = try PerfSession(input, header)
    stream = RecordStream(input, header)
  }

  /// Where the file stops making sense; nil when it is whole.
  var cut: PerfRecord.Cut? { stream.cut }
  /// Records that came too late for their place.
  var late: UInt64 { queue.lateCount }

  /// Gives all events to a sink.
  mutating func run(into sink: inout some PerfEventSink) throws(ExchangeError) {
    while let record = try stream.next() {
      if record.kind == PerfRecord.Kind.finishedRound {
        if lastTime > 0 { endOfSoFar = endOfSoFar ?? lastTime }
        try give(queue.takeRound(), to: &sink)
      } else if record.kind >= PerfRecord.Kind.firstOfPerf {
        session.note(record)
      } else {
        try take(record, &sink)
      }
    }
    try give(queue.takeAll(), to: &sink)
  }

  private mutating func take(
    _ record: PerfRecord, _ sink: inout some PerfEventSink
  ) throws(ExchangeError) {
    guard let event = try session.event(of: record) else {
      malformed += 1
      return
    }
    let layout = session.layouts[event]
    let cpu = layout.cpu(record)
    let entry = RecordQueue.Entry(
      key: 0, time: layout.time(record), cpu: cpu, event: event, record: record)
    if record.kind == PerfRecord.Kind.sample, isDuplicate(entry) {
      duplicates += 1
      return
    }
    // What perf makes up about the time before has no time, and a place: here.
    guard entry.time > 0, entry.time != .max else { return try give([entry], to: &sink) }
    if firstRoundEnd == nil { firstRoundEnd = endOfSoFar }
    firstTime = min(firstTime, entry.time)
    lastTime = max(lastTime, entry.time)
    queue.add(entry)
    if queue.isFull { try give(queue.takeHalf(), to: &sink) }
  }

  /// Whether a sample is its CPU's last one again. A real hit differs at least in its time: the clock
  /// has nanoseconds, and two breakpoints on one CPU are further apart.
  private mutating func isDuplicate(_ entry: RecordQueue.Entry) -> Bool {
    guard entry.time > 0, let cpu = entry.cpu else { return false }
    if lastSample[cpu] == entry.record.bytes { return true }
    lastSample[cpu] = entry.record.bytes
    return false
  }

  private mutating func give(
    _ entries: ArraySlice<RecordQueue.Entry>, to sink: inout some PerfEventSink
  ) throws(ExchangeError) {
    for entry in entries {
      let layout = session.layouts[entry.event]
      let kind: PerfEvent.Kind
      if entry.record.kind == PerfRecord.Kind.sample {
        guard let sample = PerfSample(entry.record, event: entry.event, layout) else {
          malformed += 1
          continue
        }
        kind = .sample(sample)
      } else if let side = SideBand(entry.record, layout) {
        kind = .side(side)
      } else {
        continue
      }
      try sink.receive(
        PerfEvent(
          kind: kind, time: entry.time == .max ? 0 : entry.time,
          cpu: entry.cpu.flatMap { UInt16(exactly: $0) } ?? .max, record: entry.record), session)
    }
  }
}

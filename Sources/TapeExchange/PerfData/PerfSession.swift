import ProbeEvents

/// What is known about a perf.data as a whole, some of which its records bring.
struct PerfSession {
  /// The events' attributes with the layouts they give, in the order of the file.
  private(set) var layouts: [RecordLayout] = []
  /// Events by id.
  private(set) var eventOfID: [UInt64: Int] = [:]
  /// Ids by event, the first few, to look for names.
  private var firstID: [Int: UInt64] = [:]
  var features = PerfFeatures()
  /// Processes or threads that perf was told to watch.
  private(set) var watched: [Int32] = []
  /// How many events perf opened: one for each attribute, thread and CPU.
  private(set) var openedCount = 0

  private static let watchedMax = 1024
  private static let eventsMax = 1 << 14

  /// The session of a file, with what its header says.
  init(_ input: PerfInput, _ header: PerfFileHeader) throws(ExchangeError) {
    for (attribute, ids) in header.attributes { add(attribute, ids) }
    for feature in header.features where feature.size <= PerfFeatures.bytesMax {
      let bytes = try input.read(at: feature.offset, count: Int(feature.size))
      features.add(bit: feature.bit, bytes)
    }
  }

  /// Takes in a record of perf's own.
  mutating func note(_ record: PerfRecord) {
    switch record.kind {
    case PerfRecord.Kind.attribute: addAttribute(record.bytes)
    case PerfRecord.Kind.tracingData: features.tracing = TracingData(record.payload)
    case PerfRecord.Kind.buildID: features.addBuildID(record.bytes)
    case PerfRecord.Kind.feature:
      guard record.bytes.count >= 16 else { return }
      let bit = record.bytes.number(at: 8, as: UInt64.self)
      if bit < 256 { features.add(bit: Int(bit), Array(record.bytes[16...])) }
    case PerfRecord.Kind.threadMap: addWatched(record.bytes)
    default: break
    }
  }

  /// The event that a record belongs to; nil when it says none of those known.
  ///
  /// - Throws: ``ExchangeError/samplesWithoutID`` when it cannot say.
  func event(of record: PerfRecord) throws(ExchangeError) -> Int? {
    guard let first = layouts.first else { return nil }
    guard layouts.count > 1 else { return 0 }
    let bytes = record.bytes
    if record.kind == PerfRecord.Kind.sample {
      guard let place = first.sampleID else { throw .samplesWithoutID }
      guard place + 8 <= bytes.count else { return nil }
      return eventOfID[bytes.number(at: place, as: UInt64.self)]
    }
    // Records that perf makes up have no id; all events have the same trailer.
    guard let place = first.trailerID, bytes.count - place >= 8 else { return 0 }
    return eventOfID[bytes.number(at: bytes.count - place, as: UInt64.self)] ?? 0
  }

  /// The name of an event as perf prints it, `group:name`; empty when it is not known.
  func name(of event: Int) -> String {
    let attribute = layouts[event].attribute
    if attribute.type == PerfAttribute.tracepoint,
      let format = features.tracing?.formats[attribute.config]
    {
      return format.system + ":" + format.name
    }
    return firstID[event].flatMap { features.eventNames[$0] } ?? ""
  }

  private mutating func add(_ attribute: PerfAttribute, _ ids: [UInt64]) {
    guard layouts.count < Self.eventsMax else { return }
    let event = layouts.count
    layouts.append(RecordLayout(attribute))
    firstID[event] = ids.first
    openedCount += max(ids.count, 1)
    for id in ids where eventOfID.count < PerfFileHeader.idsMax { eventOfID[id] = event }
  }

  private mutating func addAttribute(_ bytes: [UInt8]) {
    guard bytes.count >= 16 else { return }
    let size = Int(bytes.number(at: 12, as: UInt32.self))
    guard let attribute = PerfAttribute(bytes, at: 8, size: size) else { return }
    let ids = stride(from: 8 + size, through: bytes.count - 8, by: 8).map {
      bytes.number(at: $0, as: UInt64.self)
    }
    add(attribute, ids)
  }

  private mutating func addWatched(_ bytes: [UInt8]) {
    var cursor = ByteCursor(bytes, from: 8)
    guard let count = cursor.number(UInt64.self) else { return }
    for _ in 0..<min(count, UInt64(Self.watchedMax)) {
      guard let thread = cursor.number(UInt64.self), cursor.take(16) != nil else { return }
      // -1 stands for all of them.
      if let thread = Int32(exactly: thread), thread > 0 { watched.append(thread) }
    }
  }
}

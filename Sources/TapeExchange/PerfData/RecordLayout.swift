/// Where the fields of the records of one event are, which its attribute decides
/// (`kernel/events/core.c perf_output_sample()`, `__perf_event__output_id_sample()`).
struct RecordLayout {
  let attribute: PerfAttribute
  /// Offsets in a sample, from the start of the record; nil for what it does not have.
  let sampleIP, sampleThread, sampleTime, sampleID, sampleCPU: Int?
  /// Where the fields of varying size start.
  let sampleRest: Int
  /// Offsets in the trailer that other records have, from the end of the record backwards.
  let trailerThread, trailerTime, trailerID, trailerCPU: Int?
  /// Bytes of the trailer.
  let trailerSize: Int

  init(_ attribute: PerfAttribute) {
    self.attribute = attribute
    let type = attribute.sampleType
    var next = 8
    func place(_ field: SampleFields) -> Int? {
      guard type.contains(field) else { return nil }
      defer { next += 8 }
      return next
    }
    let identifier = place(.identifier)
    sampleIP = place(.ip)
    sampleThread = place(.tid)
    sampleTime = place(.time)
    _ = place(.addr)
    let id = place(.id)
    sampleID = identifier ?? id
    _ = place(.streamID)
    sampleCPU = place(.cpu)
    _ = place(.period)
    sampleRest = next

    var back = 0
    func placeBack(_ field: SampleFields) -> Int? {
      guard attribute.flags.contains(.sampleIDAll), type.contains(field) else { return nil }
      back += 8
      return back
    }
    let lastIdentifier = placeBack(.identifier)
    trailerCPU = placeBack(.cpu)
    _ = placeBack(.streamID)
    let lastID = placeBack(.id)
    trailerID = lastIdentifier ?? lastID
    trailerTime = placeBack(.time)
    trailerThread = placeBack(.tid)
    trailerSize = back
  }

  /// The time of a record; 0 when it has none.
  func time(_ record: PerfRecord) -> UInt64 {
    number(record, sampleTime, trailerTime)
  }

  /// The CPU of a record; nil when it does not say.
  func cpu(_ record: PerfRecord) -> UInt32? {
    let place = record.kind == PerfRecord.Kind.sample ? sampleCPU : trailerCPU
    guard place != nil, record.bytes.count >= 8 + trailerSize else { return nil }
    return UInt32(truncatingIfNeeded: number(record, sampleCPU, trailerCPU))
  }

  private func number(_ record: PerfRecord, _ front: Int?, _ back: Int?) -> UInt64 {
    let bytes = record.bytes
    if record.kind == PerfRecord.Kind.sample {
      guard let front, front + 8 <= bytes.count else { return 0 }
      return bytes.number(at: front, as: UInt64.self)
    }
    guard record.kind < PerfRecord.Kind.firstOfPerf, let back, bytes.count - back >= 8 else {
      return 0
    }
    return bytes.number(at: bytes.count - back, as: UInt64.self)
  }
}

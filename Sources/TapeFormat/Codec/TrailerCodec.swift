import ProbeEvents

/// The trailer's tagged fields.
enum TrailerField: UInt64, CaseIterable {
  /// How the target ended: one byte (0 unknown, 1 exited, 2 killed, 3 running), then the status or
  /// signal number as a signed varint for 1 and 2.
  case targetExit = 1
  /// Entries, returns, lost records.
  case counts = 3
  /// Monotonic time at the end.
  case endTime = 5
  /// One kernel fact observed while recording. Repeated.
  case lateFact = 2
}

/// Trailer <-> tagged fields.
enum TrailerCodec {
  static func encode(_ trailer: TapeTrailer) -> [UInt8] {
    var bytes: [UInt8] = []
    func field(_ tag: TrailerField, _ fill: (inout [UInt8]) -> Void) {
      TaggedFields.append(tag.rawValue, to: &bytes, fill)
    }
    field(.targetExit) { encode(trailer.targetExit, into: &$0) }
    field(.counts) {
      $0.appendVarint(trailer.entries)
      $0.appendVarint(trailer.returns)
      $0.appendVarint(trailer.lost)
    }
    field(.endTime) { $0.appendVarint(trailer.endTime) }
    for fact in trailer.lateFacts { field(.lateFact) { FactCodec.encode(fact, into: &$0) } }
    return bytes
  }

  static func decode(
    _ reader: inout FieldReader
  ) throws(TapeDamage.Reason) -> (trailer: TapeTrailer, skipped: Int) {
    var exit: TargetExit?
    var counts: (entries: UInt64, returns: UInt64, lost: UInt64)?
    var endTime: UInt64?
    var facts: [KernelFact] = []
    let skipped = try TaggedFields.read(&reader) { (tag, field) throws(TapeDamage.Reason) in
      guard let known = TrailerField(rawValue: tag) else { return false }
      switch known {
      case .targetExit: exit = try targetExit(&field)
      case .counts:
        counts = (
          entries: try field.varint(), returns: try field.varint(), lost: try field.varint()
        )
      case .endTime: endTime = try field.varint()
      case .lateFact: facts.append(try FactCodec.decode(&field))
      }
      return true
    }
    guard let exit else { throw .missingField(TrailerField.targetExit.rawValue) }
    guard let counts else { throw .missingField(TrailerField.counts.rawValue) }
    guard let endTime else { throw .missingField(TrailerField.endTime.rawValue) }
    let trailer = TapeTrailer(
      targetExit: exit, entries: counts.entries, returns: counts.returns, lost: counts.lost,
      endTime: endTime, lateFacts: facts)
    return (trailer, skipped)
  }

  private static func encode(_ exit: TargetExit, into bytes: inout [UInt8]) {
    switch exit {
    case .unknown: bytes.append(0)
    case .exited(let status):
      bytes.append(1)
      bytes.appendSigned(status)
    case .killed(let signal):
      bytes.append(2)
      bytes.appendSigned(signal)
    case .running: bytes.append(3)
    }
  }

  private static func targetExit(_ field: inout FieldReader) throws(TapeDamage.Reason) -> TargetExit
  {
    switch try field.byte() {
    case 0: .unknown
    case 1: .exited(try field.signed())
    case 2: .killed(try field.signed())
    case 3: .running
    default: throw .valueOutOfRange
    }
  }
}

import ProbeEvents

/// The header's tagged fields.
enum HeaderField: UInt64, CaseIterable {
  /// Architecture, as one byte.
  case architecture = 1
  /// Kernel release, then version: two texts.
  case kernel = 3
  /// One kernel fact: name, value, whether observed. Repeated, in order of names.
  case fact = 2
  /// One probe. Repeated; the order is the probe table's.
  case probe = 5
  /// One argument of the command. Repeated.
  case argument = 4
  /// One process attached to. Repeated.
  case attachedProcess = 6
  /// Stack window asked for, in bytes.
  case stackBytes = 8
  /// Real time, monotonic time at the start, and from when on the tape is whole.
  case clock = 7
  /// The program that wrote the tape.
  case writer = 10
  /// One step from a recording to this tape: command, source, digest. Repeated, first to last.
  case derivation = 12
  /// A probe's reference counter: the probe's place in the table, and a file offset. Repeated.
  case referenceCounter = 14
}

/// Header <-> tagged fields.
enum HeaderCodec {
  static func encode(_ header: TapeHeader) -> [UInt8] {
    var bytes: [UInt8] = []
    func field(_ tag: HeaderField, _ fill: (inout [UInt8]) -> Void) {
      TaggedFields.append(tag.rawValue, to: &bytes, fill)
    }
    field(.architecture) { $0.append(header.kernel.architecture.rawValue) }
    field(.kernel) {
      $0.appendText(header.kernel.release)
      $0.appendText(header.kernel.version)
    }
    for fact in header.kernel.facts { field(.fact) { FactCodec.encode(fact, into: &$0) } }
    for probe in header.probes { field(.probe) { encode(probe, into: &$0) } }
    for argument in header.command { field(.argument) { $0.append(contentsOf: argument.utf8) } }
    for process in header.attachedProcesses {
      field(.attachedProcess) { $0.appendSigned(process) }
    }
    field(.stackBytes) { $0.appendVarint(UInt64(header.stackBytes)) }
    field(.clock) {
      $0.appendVarint(header.startRealTime)
      $0.appendVarint(header.startTime)
      $0.appendVarint(header.wholeFrom)
    }
    field(.writer) { $0.append(contentsOf: header.writer.utf8) }
    for step in header.derivations { field(.derivation) { encode(step, into: &$0) } }
    for (index, probe) in header.probes.enumerated() where probe.referenceCounter != 0 {
      field(.referenceCounter) {
        $0.appendVarint(UInt64(index))
        $0.appendVarint(probe.referenceCounter)
      }
    }
    return bytes
  }

  /// Reads the fields; returns the header and how many unknown fields were skipped.
  static func decode(
    _ reader: inout FieldReader
  ) throws(TapeDamage.Reason) -> (header: TapeHeader, skipped: Int) {
    var draft = Draft()
    let skipped = try TaggedFields.read(&reader) { (tag, field) throws(TapeDamage.Reason) in
      guard let known = HeaderField(rawValue: tag) else { return false }
      try draft.take(known, &field)
      return true
    }
    return (try draft.header(), skipped)
  }

  private static func encode(_ probe: Probe, into bytes: inout [UInt8]) {
    bytes.appendText(probe.path)
    bytes.appendVarint(probe.fileOffset)
    bytes.appendText(probe.symbol)
    bytes.appendVarint(probe.symbolOffset)
    bytes.append(probe.wantsReturn ? 1 : 0)
    bytes.appendBlob(probe.buildID)
    bytes.appendBlob(probe.originalBytes)
  }

  private static func encode(_ step: TapeDerivation, into bytes: inout [UInt8]) {
    bytes.appendText(step.command)
    bytes.appendText(step.source)
    bytes.appendBlob(step.digest)
  }

  fileprivate static func derivation(
    _ field: inout FieldReader
  ) throws(TapeDamage.Reason) -> TapeDerivation {
    TapeDerivation(
      command: try field.text(), source: try field.text(), digest: try field.blob())
  }

  fileprivate static func probe(_ field: inout FieldReader) throws(TapeDamage.Reason) -> Probe {
    Probe(
      path: try field.text(), fileOffset: try field.varint(), symbol: try field.text(),
      symbolOffset: try field.varint(), wantsReturn: try field.flag(), buildID: try field.blob(),
      originalBytes: try field.blob())
  }
}

/// A header while its fields come in.
private struct Draft {
  var architecture: Architecture?
  var release: String?
  var version = ""
  var facts: [KernelFact] = []
  var probes: [Probe] = []
  var command: [String] = []
  var attached: [Int32] = []
  var stackBytes: UInt32 = 0
  var clock: (real: UInt64, monotonic: UInt64, whole: UInt64)?
  var writer = ""
  var derivations: [TapeDerivation] = []
  var referenceCounters: [Int: UInt64] = [:]

  mutating func take(
    _ tag: HeaderField, _ field: inout FieldReader
  ) throws(TapeDamage.Reason) {
    switch tag {
    case .architecture:
      guard let known = Architecture(rawValue: try field.byte()) else { throw .valueOutOfRange }
      architecture = known
    case .kernel:
      release = try field.text()
      version = try field.text()
    case .fact: facts.append(try FactCodec.decode(&field))
    case .probe:
      guard probes.count < TapeLimits.probes else { throw .overLimit }
      probes.append(try HeaderCodec.probe(&field))
    case .argument: command.append(try field.rest())
    case .attachedProcess: attached.append(try field.signed())
    case .stackBytes: stackBytes = try field.unsigned(UInt32.self)
    case .clock:
      clock = (real: try field.varint(), monotonic: try field.varint(), whole: try field.varint())
    case .writer: writer = try field.rest()
    case .derivation: derivations.append(try HeaderCodec.derivation(&field))
    case .referenceCounter:
      let probe = try field.count(TapeLimits.probes - 1)
      let offset = try field.varint()
      guard offset != 0 else { throw .valueOutOfRange }
      referenceCounters[probe] = offset
    }
  }

  func header() throws(TapeDamage.Reason) -> TapeHeader {
    guard let architecture else { throw .missingField(HeaderField.architecture.rawValue) }
    guard let release else { throw .missingField(HeaderField.kernel.rawValue) }
    guard let clock else { throw .missingField(HeaderField.clock.rawValue) }
    var probes = probes
    for (probe, offset) in referenceCounters {
      guard probes.indices.contains(probe) else { throw .valueOutOfRange }
      probes[probe].referenceCounter = offset
    }
    return TapeHeader(
      kernel: KernelFacts(
        architecture: architecture, release: release, version: version, facts: facts),
      probes: probes, command: command, attachedProcesses: attached, stackBytes: stackBytes,
      startRealTime: clock.real, startTime: clock.monotonic, wholeFrom: clock.whole,
      writer: writer, derivations: derivations)
  }
}

/// Kernel fact <-> bytes.
enum FactCodec {
  static func encode(_ fact: KernelFact, into bytes: inout [UInt8]) {
    bytes.appendText(fact.name)
    bytes.appendText(fact.value)
    bytes.append(fact.isObserved ? 1 : 0)
  }

  static func decode(_ field: inout FieldReader) throws(TapeDamage.Reason) -> KernelFact {
    KernelFact(
      name: try field.text(), value: try field.text(), isObserved: try field.flag())
  }
}

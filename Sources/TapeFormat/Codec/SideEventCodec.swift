import ProbeEvents

/// Kinds of side events as stored. Odd kinds must be understood; an even kind that a reader does
/// not know is skipped.
enum SideEventKind: UInt8, CaseIterable {
  case mapping = 1
  case threadName = 2
  case fork = 3
  case exec = 5
  case exit = 7
  case signal = 9
  case lost = 11
  case attached = 13
  case witness = 14
}

/// Side events <-> bytes: for each its place, time, kind, length and fields.
///
/// Place (hits since the last side event's place) and time (signed difference to the last side
/// event's time) start from 0 in each block.
enum SideEventCodec {
  /// The side events of the block being written.
  struct Encoder {
    private(set) var bytes: [UInt8] = []
    private(set) var count = 0
    private var place = 0
    private var time: UInt64 = 0
    private var fields: [UInt8] = []
    private var witnesses = WitnessCodec()

    /// Instances of all witnesses of the block.
    var witnessedInstances: Int { witnesses.instanceCount }

    mutating func append(_ event: TimedSideEvent, beforeHit: Int) {
      bytes.appendVarint(UInt64(beforeHit - place))
      bytes.appendVarint(Zigzag.encode(event.time &- time))
      place = beforeHit
      time = event.time
      fields.removeAll(keepingCapacity: true)
      bytes.append(encode(event.event, into: &fields, &witnesses).rawValue)
      precondition(fields.count <= TapeLimits.sideEventLength)
      bytes.appendBlob(fields)
      count += 1
    }
  }

  /// Reads side events into an array; returns how many unknown ones were skipped.
  static func decode(
    _ reader: inout FieldReader, hits: Int, into events: inout [PositionedSideEvent]
  ) throws(TapeDamage.Reason) -> Int {
    var place = 0
    var time: UInt64 = 0
    var skipped = 0
    var witnesses = WitnessCodec()
    while !reader.isAtEnd {
      place += try reader.count(hits - place)
      time &+= Zigzag.decode(try reader.varint())
      let kind = try reader.byte()
      var fields = try reader.section()
      guard fields.remaining <= TapeLimits.sideEventLength,
        events.count + skipped < TapeLimits.sideEventsPerBlock
      else { throw .overLimit }
      guard let known = SideEventKind(rawValue: kind) else {
        if kind & 1 == 1 { throw .unknownSideEvent(kind) }
        skipped += 1
        continue
      }
      let event = try decode(known, &fields, &witnesses)
      try fields.finish()
      events.append(
        PositionedSideEvent(beforeHit: place, event: TimedSideEvent(time: time, event: event)))
    }
    return skipped
  }

  private static func encode(
    _ event: SideEvent, into bytes: inout [UInt8], _ witnesses: inout WitnessCodec
  ) -> SideEventKind {
    switch event {
    case .mapping(let mapping):
      bytes.appendSigned(mapping.process)
      bytes.appendVarint(mapping.start)
      bytes.appendVarint(mapping.length)
      bytes.appendVarint(mapping.fileOffset)
      bytes.appendText(mapping.path)
      bytes.appendBlob(mapping.buildID)
      return .mapping
    case .threadName(let thread, let name):
      encode(thread, into: &bytes)
      bytes.appendText(name)
      return .threadName
    case .fork(let fork):
      encode(fork.parent, into: &bytes)
      encode(fork.child, into: &bytes)
      bytes.append(fork.cloneFlags == nil ? 0 : 1)
      if let flags = fork.cloneFlags { bytes.appendVarint(flags) }
      return .fork
    case .exec(let thread, let path):
      encode(thread, into: &bytes)
      bytes.appendText(path)
      return .exec
    case .exit(let thread):
      encode(thread, into: &bytes)
      return .exit
    case .signal(let signal):
      encode(signal, into: &bytes)
      return .signal
    case .lost(let lost):
      bytes.appendVarint(lost.count)
      bytes.appendVarint(UInt64(lost.cpu))
      return .lost
    case .attached(let thread):
      encode(thread, into: &bytes)
      return .attached
    case .witness(let witness):
      witnesses.encode(witness, into: &bytes)
      return .witness
    }
  }

  private static func encode(_ signal: SignalDelivery, into bytes: inout [UInt8]) {
    encode(signal.thread, into: &bytes)
    bytes.appendSigned(signal.number)
    bytes.appendSigned(signal.code)
    bytes.append(signal.isHandled ? 1 : 0)
    bytes.appendVarint(signal.instructionPointer)
    bytes.appendVarint(signal.stackPointer)
  }

  private static func decode(
    _ kind: SideEventKind, _ fields: inout FieldReader, _ witnesses: inout WitnessCodec
  ) throws(TapeDamage.Reason) -> SideEvent {
    switch kind {
    case .mapping:
      .mapping(
        Mapping(
          process: try fields.signed(), start: try fields.varint(), length: try fields.varint(),
          fileOffset: try fields.varint(), path: try fields.text(), buildID: try fields.blob()))
    case .threadName: .threadName(try thread(&fields), try fields.text())
    case .fork:
      .fork(
        TaskFork(
          parent: try thread(&fields), child: try thread(&fields),
          cloneFlags: try fields.flag() ? try fields.varint() : nil))
    case .exec: .exec(try thread(&fields), try fields.text())
    case .exit: .exit(try thread(&fields))
    case .signal:
      .signal(
        SignalDelivery(
          thread: try thread(&fields), number: try fields.signed(), code: try fields.signed(),
          isHandled: try fields.flag(), instructionPointer: try fields.varint(),
          stackPointer: try fields.varint()))
    case .lost:
      .lost(LostHits(count: try fields.varint(), cpu: try fields.unsigned(UInt16.self)))
    case .attached: .attached(try thread(&fields))
    case .witness: .witness(try witnesses.decode(&fields))
    }
  }

  static func encode(_ thread: ThreadIdentity, into bytes: inout [UInt8]) {
    bytes.appendSigned(thread.process)
    bytes.appendSigned(thread.thread)
  }

  static func thread(_ fields: inout FieldReader) throws(TapeDamage.Reason) -> ThreadIdentity {
    ThreadIdentity(process: try fields.signed(), thread: try fields.signed())
  }
}

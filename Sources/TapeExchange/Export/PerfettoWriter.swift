import ProbeEvents
import Replay
import TapeFormat

/// Perfetto's protobuf (`protos/perfetto/trace/trace.proto`): a track for each thread, a slice for
/// each call, instants for everything else.
struct PerfettoWriter: ExportWriter {
  var buffer: ExportBuffer
  private let probes: [String]
  private var names = ThreadNames()
  /// Tracks that are described already.
  private var described: Set<UInt64> = []

  private static let describedMax = 1 << 18

  /// Field numbers, by message.
  private enum Trace { static let packet: UInt64 = 1 }
  private enum Packet {
    static let timestamp: UInt64 = 8
    static let sequence: UInt64 = 10
    static let trackEvent: UInt64 = 11
    static let trackDescriptor: UInt64 = 60
  }
  private enum Descriptor {
    static let uuid: UInt64 = 1
    static let process: UInt64 = 3
    static let thread: UInt64 = 4
    static let parent: UInt64 = 5
  }
  private enum Process {
    static let pid: UInt64 = 1
    static let name: UInt64 = 6
  }
  private enum Thread {
    static let pid: UInt64 = 1
    static let tid: UInt64 = 2
    static let name: UInt64 = 5
  }
  private enum Event {
    static let annotation: UInt64 = 4
    static let type: UInt64 = 9
    static let track: UInt64 = 11
    static let category: UInt64 = 22
    static let name: UInt64 = 23
  }
  private enum Annotation {
    static let unsigned: UInt64 = 3
    static let text: UInt64 = 6
    static let name: UInt64 = 10
  }
  private enum EventType: UInt64 {
    case begin = 1
    case end = 2
    case instant = 3
  }

  init(header: TapeHeader, buffer: ExportBuffer) {
    self.buffer = buffer
    probes = header.probes.indices.map { header.probes.name(of: UInt32($0)) }
  }

  mutating func name(_ thread: ThreadIdentity, _ name: String) {
    names.set(thread, name)
    describe(thread)
  }

  mutating func enter(_ thread: ThreadIdentity, stack: [OpenCall]) {
    guard let call = stack.last else { return }
    var event = event(.begin, thread, category: "call", name: name(call.probe))
    event.add(Event.annotation, annotation("hit", call.hit))
    event.add(
      Event.annotation, annotation("function", ExportText.hexadecimal(call.function)))
    if call.isChained { event.add(Event.annotation, annotation("chained", "yes")) }
    packet(event, at: call.time)
  }

  mutating func leave(
    _ thread: ThreadIdentity, stack: [OpenCall], at time: UInt64, _ end: CallEnd
  ) {
    var event = event(.end, thread, category: nil, name: nil)
    event.add(Event.annotation, annotation("end", end.rawValue))
    packet(event, at: time)
  }

  mutating func touch(_ thread: ThreadIdentity, stack: [OpenCall], _ call: OpenCall) {
    var event = event(.instant, thread, category: "entry", name: name(call.probe))
    event.add(Event.annotation, annotation("hit", call.hit))
    packet(event, at: call.time)
  }

  mutating func mark(_ thread: ThreadIdentity, at time: UInt64, _ mark: CallMark) {
    var event = event(.instant, thread, category: "mark", name: ExportText.line(mark.name))
    if let hit = mark.hit { event.add(Event.annotation, annotation("hit", hit)) }
    event.add(Event.annotation, annotation("detail", mark.detail))
    packet(event, at: time)
  }

  // MARK: messages

  private mutating func event(
    _ type: EventType, _ thread: ThreadIdentity, category: String?, name: String?
  ) -> ProtobufMessage {
    if !described.contains(Self.track(thread)) { describe(thread) }
    var event = ProtobufMessage()
    event.add(Event.type, type.rawValue)
    event.add(Event.track, Self.track(thread))
    if let category { event.add(Event.category, category) }
    if let name { event.add(Event.name, name) }
    return event
  }

  private func annotation(_ name: String, _ value: UInt64) -> ProtobufMessage {
    var annotation = ProtobufMessage()
    annotation.add(Annotation.name, name)
    annotation.add(Annotation.unsigned, value)
    return annotation
  }

  private func annotation(_ name: String, _ value: String) -> ProtobufMessage {
    var annotation = ProtobufMessage()
    annotation.add(Annotation.name, name)
    annotation.add(Annotation.text, value)
    return annotation
  }

  private mutating func packet(_ event: ProtobufMessage, at time: UInt64) {
    var packet = ProtobufMessage()
    packet.add(Packet.timestamp, time)
    packet.add(Packet.trackEvent, event)
    write(&packet)
  }

  /// Names the tracks of a thread and of its process.
  private mutating func describe(_ thread: ThreadIdentity) {
    if described.count >= Self.describedMax { described.removeAll() }
    if described.insert(Self.track(process: thread.process)).inserted
      || thread.process == thread.thread
    {
      var process = ProtobufMessage()
      process.add(Process.pid, signed: thread.process)
      process.add(
        Process.name, names[ThreadIdentity(process: thread.process, thread: thread.process)])
      var descriptor = ProtobufMessage()
      descriptor.add(Descriptor.uuid, Self.track(process: thread.process))
      descriptor.add(Descriptor.process, process)
      write(descriptor)
    }
    described.insert(Self.track(thread))
    var message = ProtobufMessage()
    message.add(Thread.pid, signed: thread.process)
    message.add(Thread.tid, signed: thread.thread)
    message.add(Thread.name, names[thread])
    var descriptor = ProtobufMessage()
    descriptor.add(Descriptor.uuid, Self.track(thread))
    descriptor.add(Descriptor.thread, message)
    descriptor.add(Descriptor.parent, Self.track(process: thread.process))
    write(descriptor)
  }

  private mutating func write(_ descriptor: ProtobufMessage) {
    var packet = ProtobufMessage()
    packet.add(Packet.trackDescriptor, descriptor)
    write(&packet)
  }

  private mutating func write(_ packet: inout ProtobufMessage) {
    packet.add(Packet.sequence, 1)
    var trace = ProtobufMessage()
    trace.add(Trace.packet, packet)
    buffer.append(trace.bytes)
  }

  private func name(_ probe: UInt32) -> String {
    Int(probe) < probes.count ? probes[Int(probe)] : "probe \(probe)"
  }

  /// The number of a thread's track: not 0, and not a process's.
  private static func track(_ thread: ThreadIdentity) -> UInt64 {
    1 << 63 | UInt64(UInt32(bitPattern: thread.process) & 0x3FFF_FFFF) << 32
      | UInt64(UInt32(bitPattern: thread.thread))
  }

  private static func track(process: Int32) -> UInt64 {
    1 << 62 | UInt64(UInt32(bitPattern: process))
  }
}

/// A reader of protobuf's wire format for tests, made from its description and not from the writer
/// under test.
struct ProtobufReader {
  enum Value {
    case number(UInt64)
    case bytes([UInt8])
  }

  struct Malformed: Error {}

  /// The fields of a message, in order.
  static func fields(_ bytes: [UInt8]) throws -> [(field: Int, value: Value)] {
    var fields: [(field: Int, value: Value)] = []
    var place = 0
    func varint() throws -> UInt64 {
      var value: UInt64 = 0
      for shift in stride(from: 0, to: 64, by: 7) {
        guard place < bytes.count else { throw Malformed() }
        let byte = bytes[place]
        place += 1
        value |= UInt64(byte & 0x7F) << UInt64(shift)
        if byte < 0x80 { return value }
      }
      throw Malformed()
    }
    while place < bytes.count {
      let key = try varint()
      switch key & 7 {
      case 0: fields.append((Int(key >> 3), .number(try varint())))
      case 2:
        let length = Int(try varint())
        guard length <= bytes.count - place else { throw Malformed() }
        fields.append((Int(key >> 3), .bytes(Array(bytes[place..<place + length]))))
        place += length
      default: throw Malformed()
      }
    }
    return fields
  }
}

/// One packet of a Perfetto trace, by the field numbers of `perfetto_trace.proto`.
struct PerfettoPacket {
  var time: UInt64?
  /// 1 begin, 2 end, 3 instant.
  var type: UInt64?
  var track: UInt64?
  var name: String?
  var threadName: String?
  var describedTrack: UInt64?

  static func parse(_ trace: [UInt8]) throws -> [PerfettoPacket] {
    try ProtobufReader.fields(trace).map { entry in
      guard entry.field == 1, case .bytes(let bytes) = entry.value else {
        throw ProtobufReader.Malformed()
      }
      var packet = PerfettoPacket()
      for (field, value) in try ProtobufReader.fields(bytes) {
        switch (field, value) {
        case (8, .number(let time)): packet.time = time
        case (10, .number(1)): break
        case (11, .bytes(let event)): try packet.readEvent(event)
        case (60, .bytes(let descriptor)): try packet.readDescriptor(descriptor)
        default: throw ProtobufReader.Malformed()
        }
      }
      return packet
    }
  }

  private mutating func readEvent(_ bytes: [UInt8]) throws {
    for (field, value) in try ProtobufReader.fields(bytes) {
      switch (field, value) {
      case (9, .number(let type)): self.type = type
      case (11, .number(let track)): self.track = track
      case (23, .bytes(let name)): self.name = String(decoding: name, as: UTF8.self)
      case (4, .bytes), (22, .bytes): break
      default: throw ProtobufReader.Malformed()
      }
    }
  }

  private mutating func readDescriptor(_ bytes: [UInt8]) throws {
    for (field, value) in try ProtobufReader.fields(bytes) {
      switch (field, value) {
      case (1, .number(let track)): describedTrack = track
      case (4, .bytes(let thread)):
        for case (5, .bytes(let name)) in try ProtobufReader.fields(thread) {
          threadName = String(decoding: name, as: UTF8.self)
        }
      case (3, .bytes), (5, .number): break
      default: throw ProtobufReader.Malformed()
      }
    }
  }
}

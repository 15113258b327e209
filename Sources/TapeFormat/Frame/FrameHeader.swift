/// The start of each record: what it is, how long, and where its groups are; with a checksum, so
/// that a reader can find the next record after a damaged one.
struct FrameHeader: Equatable {
  static let magic: UInt32 = 0xB54F_5AD3
  static let fixedLength = 24
  static let groupLength = 12
  static let maximumLength = fixedLength + TapeLimits.groupsPerRecord * groupLength
  /// The only encoding of groups: one zstd frame with content size and content checksum.
  static let zstdEncoding: UInt16 = 1

  struct Group: Equatable {
    var id: UInt16
    var encoding: UInt16
    var storedLength: Int
    var decodedLength: Int
  }

  var kind: UInt16
  var sequence: UInt32
  /// Hits in a block; 0 in other records.
  var hits: Int
  var groups: [Group]

  /// Bytes from the record's start to its payload.
  var length: Int { Self.fixedLength + groups.count * Self.groupLength }
  var payloadLength: Int { groups.reduce(0) { $0 + $1.storedLength } }

  var isMandatory: Bool { kind & mandatoryBit != 0 }

  func encode(into bytes: inout [UInt8]) {
    let start = bytes.count
    bytes.appendLittleEndian(Self.magic)
    bytes.appendLittleEndian(kind)
    bytes.appendLittleEndian(UInt16(groups.count))
    bytes.appendLittleEndian(sequence)
    bytes.appendLittleEndian(UInt32(payloadLength))
    bytes.appendLittleEndian(UInt32(hits))
    let checksumAt = bytes.count
    bytes.appendLittleEndian(UInt32(0))
    for group in groups {
      bytes.appendLittleEndian(group.id)
      bytes.appendLittleEndian(group.encoding)
      bytes.appendLittleEndian(UInt32(group.storedLength))
      bytes.appendLittleEndian(UInt32(group.decodedLength))
    }
    bytes.storeLittleEndian(Checksum.crc32c(bytes, start..<bytes.count), at: checksumAt)
  }
}

extension FrameHeader {
  /// Whether a record header can be at an offset, and if so, what it says.
  enum Parsed: Equatable {
    /// It is there and its checksum holds.
    case header(FrameHeader)
    /// There are not enough bytes to tell: this many are needed to tell more.
    case incomplete(needed: Int)
    /// It is not there.
    case invalid
  }

  /// Reads the header at an offset of `bytes`, which must not be negative. Bytes from `end` on do not
  /// count.
  static func parse(_ bytes: [UInt8], at start: Int, before end: Int) -> Parsed {
    guard end - start >= fixedLength else { return .incomplete(needed: fixedLength) }
    guard bytes.littleEndian(at: start, as: UInt32.self) == magic else { return .invalid }
    let count = Int(bytes.littleEndian(at: start + 6, as: UInt16.self))
    guard count <= TapeLimits.groupsPerRecord else { return .invalid }
    let length = fixedLength + count * groupLength
    guard end - start >= length else { return .incomplete(needed: length) }
    var head = Array(bytes[start..<start + length])
    let stored = head.littleEndian(at: 20, as: UInt32.self)
    head.storeLittleEndian(UInt32(0), at: 20)
    guard Checksum.crc32c(head, 0..<length) == stored else { return .invalid }
    var header = FrameHeader(
      kind: head.littleEndian(at: 4, as: UInt16.self),
      sequence: head.littleEndian(at: 8, as: UInt32.self),
      hits: Int(head.littleEndian(at: 16, as: UInt32.self)), groups: [])
    for index in 0..<count {
      let at = fixedLength + index * groupLength
      header.groups.append(
        Group(
          id: head.littleEndian(at: at, as: UInt16.self),
          encoding: head.littleEndian(at: at + 2, as: UInt16.self),
          storedLength: Int(head.littleEndian(at: at + 4, as: UInt32.self)),
          decodedLength: Int(head.littleEndian(at: at + 8, as: UInt32.self))))
    }
    let payload = Int(head.littleEndian(at: 12, as: UInt32.self))
    guard payload == header.payloadLength, payload <= TapeLimits.payloadLength,
      header.hits <= TapeLimits.hitsPerBlock
    else { return .invalid }
    return .header(header)
  }
}

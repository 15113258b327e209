import ProbeEvents

@testable import TapeFormat

/// A tape taken apart into its records, to be put together wrongly.
struct TapeSurgery {
  struct Record {
    var header: FrameHeader
    /// The decoded content of each group, in the header's order.
    var contents: [[UInt8]]
  }

  /// Prelude and header.
  var start: [UInt8]
  var records: [Record] = []

  init(_ tape: [UInt8]) throws {
    var offset = Prelude.length + Int(tape.littleEndian(at: 20, as: UInt32.self))
    start = Array(tape[..<offset])
    let decompressor = ZstdDecompressor()
    while case .header(let header) = FrameHeader.parse(tape, at: offset, before: tape.count) {
      offset += header.length
      var record = Record(header: header, contents: [])
      for group in header.groups {
        var content: [UInt8] = []
        try decompressor.decompress(
          tape, offset..<offset + group.storedLength, length: group.decodedLength, into: &content)
        record.contents.append(content)
        offset += group.storedLength
      }
      records.append(record)
    }
    precondition(offset == tape.count)
  }

  /// The tape with all lengths and checksums right.
  var tape: [UInt8] {
    get throws {
      try records.reduce(into: start) { bytes, record in bytes += try Self.bytes(record) }
    }
  }

  /// One record, compressed anew.
  static func bytes(_ record: Record) throws -> [UInt8] {
    let compressor = try ZstdCompressor(level: 1)
    var payload: [UInt8] = []
    var header = record.header
    for (index, content) in record.contents.enumerated() {
      header.groups[index].storedLength = try compressor.compress(
        [content], length: content.count, into: &payload)
      header.groups[index].decodedLength = content.count
    }
    return bytes(header, payload)
  }

  /// A record header with whatever payload.
  static func bytes(_ header: FrameHeader, _ payload: [UInt8]) -> [UInt8] {
    var bytes: [UInt8] = []
    header.encode(into: &bytes)
    return bytes + payload
  }

  /// Offsets where records start, and the end.
  static func boundaries(_ tape: [UInt8]) -> [Int] {
    var offset = Prelude.length + Int(tape.littleEndian(at: 20, as: UInt32.self))
    var found = [offset]
    while case .header(let header) = FrameHeader.parse(tape, at: offset, before: tape.count) {
      offset += header.length + header.payloadLength
      found.append(offset)
    }
    return found
  }
}

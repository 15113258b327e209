/// A part of a tape that could not be read. Reading goes on after it.
public struct TapeDamage: Sendable, Hashable {
  /// Where the unreadable part starts, in bytes from the tape's start.
  public var offset: UInt64
  /// Its length in bytes; 0 where something is missing between two readable parts.
  public var length: UInt64
  /// What is wrong.
  public var reason: Reason
  /// How many hits are lost with it, where that is known.
  public var hits: Int?

  /// A damaged part.
  public init(offset: UInt64, length: UInt64, reason: Reason, hits: Int? = nil) {
    self.offset = offset
    self.length = length
    self.reason = reason
    self.hits = hits
  }

  /// What is wrong with a damaged part, one case for each malformed condition.
  public enum Reason: Error, Sendable, Hashable {
    /// The tape ends inside a record.
    case truncated
    /// There is no record where one must start.
    case noFrame
    /// Records are missing, or are out of order: the sequence number expected and the one found.
    case sequence(expected: UInt32, found: UInt32)
    /// There are bytes after the trailer.
    case bytesAfterTrailer
    /// A record lacks a group that its kind must have.
    case missingGroup(UInt16)
    /// A record has a group twice.
    case repeatedGroup(UInt16)
    /// A record that must be understood has an unknown kind.
    case unknownRecord(UInt16)
    /// A group that must be understood is unknown, or has an unknown encoding.
    case unknownGroup(UInt16)
    /// A group is not exactly one zstd frame with content size and content checksum.
    case notAZstdFrame
    /// zstd refused a group (most often: its checksum does not match).
    case zstd
    /// A group's decoded length is not the one that its record claims.
    case decodedLength
    /// A number in the record is above its limit.
    case overLimit
    /// A stream ends before all its values were read.
    case streamTooShort
    /// A stream has bytes left after all its values were read.
    case streamTooLong
    /// A variable-length number has more than 64 bits.
    case varintTooLong
    /// A value is outside its enumeration or table.
    case valueOutOfRange
    /// Text is not UTF-8.
    case notUTF8
    /// A side event that must be understood is unknown.
    case unknownSideEvent(UInt8)
    /// A tagged field that must be understood is unknown.
    case unknownField(UInt64)
    /// A tagged field that must be there is missing.
    case missingField(UInt64)

    /// Whether a newer program may be able to read it, so that going on would be wrong.
    var needsNewerReader: Bool {
      switch self {
      case .unknownRecord, .unknownGroup, .unknownSideEvent, .unknownField: true
      case .truncated, .noFrame, .sequence, .bytesAfterTrailer, .missingGroup, .repeatedGroup,
        .notAZstdFrame, .zstd, .decodedLength, .overLimit, .streamTooShort, .streamTooLong,
        .varintTooLong, .valueOutOfRange, .notUTF8, .missingField:
        false
      }
    }
  }
}

extension TapeDamage: CustomStringConvertible {
  /// Where and what.
  public var description: String {
    "\(length) bytes at byte \(offset): \(reason)"
  }
}

extension TapeDamage.Reason: CustomStringConvertible {
  /// What is wrong, in words.
  public var description: String {
    switch self {
    case .truncated: "the tape ends inside a record"
    case .noFrame: "no record where one must start"
    case .sequence(let expected, let found):
      "records missing or out of order: number \(expected) expected, \(found) found"
    case .bytesAfterTrailer: "bytes after the trailer"
    case .missingGroup(let group): "group \(group) is missing"
    case .repeatedGroup(let group): "group \(group) is there twice"
    case .unknownRecord(let kind): "unknown mandatory kind of record \(kind)"
    case .unknownGroup(let group): "unknown mandatory group or encoding \(group)"
    case .notAZstdFrame: "a group is not one zstd frame with size and checksum"
    case .zstd: "a group fails its checksum"
    case .decodedLength: "a group's decoded length is not the one claimed"
    case .overLimit: "a number is above its limit"
    case .streamTooShort: "a stream ends too early"
    case .streamTooLong: "a stream has bytes left over"
    case .varintTooLong: "a variable-length number has more than 64 bits"
    case .valueOutOfRange: "a value is out of range"
    case .notUTF8: "text is not UTF-8"
    case .unknownSideEvent(let kind): "unknown mandatory side event \(kind)"
    case .unknownField(let tag): "unknown mandatory field \(tag)"
    case .missingField(let tag): "field \(tag) is missing"
    }
  }
}

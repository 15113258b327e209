/// Why a tape cannot be opened, read on or written.
///
/// Damage inside a tape is not an error: ``TapeReader`` reports it as a ``TapeStep/damage(_:)`` and
/// goes on. Each description says what is wrong and what to do.
public enum TapeError: Error, Sendable, Hashable {
  /// A system call failed: what was tried, on which file, and the errno.
  case system(operation: String, path: String, errno: Int32)
  /// The path names a directory.
  case isDirectory(path: String)
  /// The file has no bytes.
  case empty
  /// The file does not begin with a tape's magic.
  case notATape
  /// The magic is there with its bytes reversed: a tape in big-endian byte order.
  case foreignByteOrder
  /// The file ends inside its prelude or header; the offset is where it ends.
  case headerTruncated(offset: UInt64)
  /// The prelude or header fails its checksum; the offset is where the checksummed part starts.
  case headerChecksum(offset: UInt64)
  /// The header claims to be longer than ``TapeLimits/headerLength``.
  case headerTooLong(length: UInt64, offset: UInt64)
  /// A field of the header does not decode.
  case headerMalformed(reason: TapeDamage.Reason, offset: UInt64)
  /// The tape has a newer format version than this program reads.
  case newerVersion(found: UInt32, supported: UInt32)
  /// The tape needs features that this program does not have: bits of the mandatory set.
  case unknownFeatures(bits: UInt32, offset: UInt64)
  /// The record at the offset is, or has a part that is, unknown to this program but must be
  /// understood.
  case unknownMandatory(TapeDamage.Reason, offset: UInt64)
  /// A compression level outside the range of zstd.
  case compressionLevel(Int32)
  /// zstd could not compress a block: its error text.
  case compressor(String)
  /// The writer was used after ``TapeWriter/finish(_:)``.
  case alreadyFinished
}

extension TapeError: CustomStringConvertible {
  /// What is wrong and what to do about it.
  public var description: String {
    switch self {
    case .system(let operation, let path, let number):
      "cannot \(operation) \(path): \(systemErrorText(number)); check the path, permissions and space"
    case .isDirectory(let path):
      "\(path) is a directory; name a tape file in it"
    case .empty:
      "the file is empty; the recording did not start, record again"
    case .notATape:
      "not a tape (wrong magic at byte 0); give a file made by `probetape record` or `import`"
    case .foreignByteOrder:
      "the tape is in big-endian byte order, which version \(TapeVersion.current) cannot read; "
        + "read it with the program that wrote it"
    case .headerTruncated(let offset):
      "the tape ends inside its header, at byte \(offset); nothing can be read from it, record again"
    case .headerChecksum(let offset):
      "the tape's header at byte \(offset) fails its checksum; fetch an undamaged copy"
    case .headerTooLong(let length, let offset):
      "the tape's header claims \(length) bytes at byte \(offset), more than "
        + "\(TapeLimits.headerLength); fetch an undamaged copy"
    case .headerMalformed(let reason, let offset):
      "the tape's header is malformed at byte \(offset): \(reason); fetch an undamaged copy"
    case .newerVersion(let found, let supported):
      "the tape has format version \(found), this program reads up to \(supported); "
        + "use a newer probetape"
    case .unknownFeatures(let bits, let offset):
      "the tape needs unknown features 0x\(String(bits, radix: 16)) (byte \(offset)); "
        + "use a newer probetape"
    case .unknownMandatory(let reason, let offset):
      "the record at byte \(offset) cannot be read: \(reason); use a newer probetape"
    case .compressionLevel(let level):
      "compression level \(level) does not exist; choose one from \(TapeLimits.compressionLevels)"
    case .compressor(let text):
      "zstd could not compress a block: \(text); free some memory or lower the level"
    case .alreadyFinished:
      "the tape is finished; start a new one"
    }
  }
}

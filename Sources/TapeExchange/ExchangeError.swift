import SystemPackage
public import TapeFormat

/// Why a perf.data cannot be imported at all, or a tape not exported.
///
/// A file that is cut off or damaged further in is no error: what comes before is kept, see
/// ``ImportSummary/cut``. Each description says what is wrong and what to do.
public enum ExchangeError: Error, Sendable, Hashable {
  /// A system call failed: what was tried, on which file, and the errno.
  case system(operation: String, path: String, errno: Int32)
  /// The path names a directory, as `perf record --threads` writes it.
  case isDirectory(path: String)
  /// Reading or writing the tape failed.
  case tape(TapeError)
  /// The file does not begin with perf.data's magic.
  case notPerfData
  /// The file was written on a big-endian machine.
  case foreignByteOrder
  /// A part of the file's header is not what it must be, at an offset.
  case malformedHeader(part: String, offset: UInt64)
  /// No event of the file is a uprobe or uretprobe; the names of those that are there.
  case noUprobeEvents([String])
  /// The machine it was recorded on has no model: what `uname -m` says there.
  case unsupportedArchitecture(String)
  /// The file does not say on what machine it was recorded, and has no registers that tell.
  case unknownArchitecture
  /// The samples have registers that the machine does not have.
  case foreignRegisters(mask: UInt64, architecture: String)
  /// Several events, and samples that do not say whose they are.
  case samplesWithoutID
  /// Samples lack what every hit needs: the field's name.
  case samplesWithout(String)
}

extension ExchangeError {
  /// An error from swift-system, or the directory case where that is what it means.
  static func system(_ operation: String, _ path: String, _ error: any Error) -> ExchangeError {
    let number = error as? Errno ?? .ioError
    if number == .isDirectory { return .isDirectory(path: path) }
    return .system(operation: operation, path: path, errno: number.rawValue)
  }
}

extension ExchangeError: CustomStringConvertible {
  /// What is wrong and what to do about it.
  public var description: String {
    switch self {
    case .system(let operation, let path, let number):
      "cannot \(operation) \(path): \(Errno(rawValue: number)); check the path and permissions"
    case .isDirectory(let path):
      "\(path) is a directory; record without --threads, which writes one file for each thread"
    case .tape(let error): error.description
    case .notPerfData: "not a perf.data (wrong magic at byte 0); give a file that perf record wrote"
    case .foreignByteOrder:
      "a perf.data in big-endian byte order; only little-endian machines have a model"
    case .malformedHeader(let part, let offset):
      "the perf.data's header is malformed at byte \(offset): \(part); fetch an undamaged copy"
    case .noUprobeEvents(let names): Self.noUprobeEvents(names)
    case .unsupportedArchitecture(let name):
      "recorded on \(name), whose registers have no model; x86_64 and aarch64 have"
    case .unknownArchitecture:
      "the file does not say what machine it is from (its end is missing) and has no registers "
        + "that tell; fetch the whole file"
    case .foreignRegisters(let mask, let architecture):
      "the samples' register mask 0x\(String(mask, radix: 16)) does not fit \(architecture), "
        + "which the file says it is from; fetch an undamaged copy"
    case .samplesWithoutID:
      "several events, and samples without an ID to tell them apart; record with perf record, "
        + "or set PERF_SAMPLE_IDENTIFIER"
    case .samplesWithout(let field):
      "the samples have no \(field); record with perf record's default fields"
    }
  }

  private static func noUprobeEvents(_ names: [String]) -> String {
    let found =
      names.isEmpty ? "" : " (there: \(names.prefix(5).joined(separator: ", ")))"
    return
      "no uprobe events in the file\(found); place some with `perf probe -x FILE FUNCTION` and "
      + "`perf probe -x FILE FUNCTION%return`, and record those"
  }
}

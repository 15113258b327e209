import Glibc
import SystemPackage

/// Standard output and standard error. Data goes to the one, all else to the other.
enum Console {
  /// Writes a message for the user, with a line end.
  static func note(_ text: String) {
    noteWithoutLineEnd(text + "\n")
  }

  /// Writes a message for the user as it is.
  static func noteWithoutLineEnd(_ text: String) {
    // A closed standard error must not end the program, and there is nowhere left to say so.
    _ = try? FileDescriptor.standardError.writeAll(text.utf8)
  }

  /// A reader that goes away is an error of a write, not our death. Set when the first data is
  /// written and not at the start, as a recorded command would inherit it.
  private static let survivesClosedPipes: Bool = {
    _ = signal(SIGPIPE, SIG_IGN)
    return true
  }()

  /// Writes data, with a line end. A reader that has gone ends the program quietly.
  static func print(_ text: String, to output: FileDescriptor = .standardOutput) throws {
    _ = survivesClosedPipes
    try output.writeAll((text + "\n").utf8)
  }
}

/// Where a verb's data goes: a file, or standard output.
struct DataOutput: ~Copyable {
  private let descriptor: FileDescriptor
  private let isOwned: Bool

  /// Opens a file for writing; nil or `-` means standard output.
  init(path: String?) throws {
    guard let path, path != "-" else {
      descriptor = .standardOutput
      isOwned = false
      return
    }
    descriptor = try FileDescriptor.open(
      FilePath(path), .writeOnly, options: [.create, .truncate, .closeOnExec],
      permissions: [.ownerReadWrite, .groupRead, .otherRead])
    isOwned = true
  }

  /// Writes text with a line end.
  func print(_ text: String) throws {
    try Console.print(text, to: descriptor)
  }

  deinit {
    // Every write was checked; close has nothing left to report.
    if isOwned { try? descriptor.close() }
  }
}

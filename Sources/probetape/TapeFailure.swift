import ArgumentParser
import HandlerHost
import SystemPackage
import TapeFormat

/// What verbs that read one tape say, and exit with, when they cannot go on.
enum TapeFailure {
  /// Runs a verb's work. A reader of its output that has gone ends it quietly; a tape or a handler
  /// that is none is explained, and ends it with 125.
  static func reported(of tape: String, _ body: () throws -> Void) throws {
    do {
      try body()
    } catch let error as Errno where error == .brokenPipe {
      // The reader has seen enough.
    } catch let error as TapeError {
      Console.note("probetape: \(message(error, of: tape))")
      throw ExitCode(125)
    } catch let error as KernelSourceError {
      Console.note("probetape: \(error.description)")
      throw ExitCode(125)
    }
  }

  /// An error of a file names it: it may be the one that is written.
  static func message(_ error: TapeError, of tape: String) -> String {
    if case .system = error { return error.description }
    return "\(tape): \(error.description)"
  }
}

import CPerfEvent
import Glibc

/// The signals that end a recording, as long as this lives.
struct SignalWatch: ~Copyable {
  /// A signal that arrived.
  struct Arrival: Hashable {
    var number: Int32
    /// Whether the terminal sent it, and so to the recorded command as well.
    var isFromTerminal: Bool
  }

  /// Readable when one arrived.
  let descriptor: Int32

  /// From now on SIGINT, SIGTERM and SIGHUP come here, and SIGPIPE is an error of write alone.
  init() throws(RecorderError) {
    descriptor = cperf_signals_watch()
    if descriptor == -EBUSY { throw .alreadyRecording }
    guard descriptor >= 0 else { throw .system(operation: "make a pipe", errno: -descriptor) }
  }

  deinit {
    cperf_signals_restore()
  }

  /// The next signal that arrived, if any.
  borrowing func next() -> Arrival? {
    var signal = cperf_signal()
    // The structure lives for the call.
    guard unsafe cperf_signals_next(descriptor, &signal) == 1 else { return nil }
    return Arrival(number: signal.number, isFromTerminal: signal.code > 0)
  }
}

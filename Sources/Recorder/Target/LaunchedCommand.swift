import CPerfEvent
import Glibc
import ProbeEvents

/// The command to record: a child that waits before its exec until everything is in place.
///
/// It is forked before the recorder changes anything about itself (signals, limits), so that it
/// inherits what the recorder was given.
struct LaunchedCommand: ~Copyable {
  /// The child's process number.
  let process: Int32

  private let name: String
  private var child: cperf_child
  private var exit: TargetExit?

  /// Forks the child.
  init(_ command: [String]) throws(RecorderError) {
    guard let name = command.first, !name.isEmpty else { throw .noTarget }
    var child = cperf_child()
    // strdup's copies live until the fork is over; the child has its own copy of them.
    var arguments: [UnsafeMutablePointer<CChar>?] = unsafe command.map { unsafe strdup($0) }
    unsafe arguments.append(nil)
    let result = unsafe cperf_spawn_stopped(
      &arguments, ProcessStat.blockedSignals ?? 0, &child)
    unsafe arguments.forEach { unsafe free($0) }
    guard result >= 0 else { throw .system(operation: "fork", errno: -result) }
    self.name = name
    self.child = child
    process = child.pid
  }

  deinit {
    var child = child
    if child.go >= 0 {
      // Never released. The structure lives for the call.
      unsafe cperf_abandon(&child)
    } else if child.pid > 0, exit == nil {
      // It outlives its recording.
      cperf_reap_later(process)
    }
  }

  /// Lets the child become the command.
  mutating func release() throws(RecorderError) {
    // The structure lives for the call.
    let result = unsafe cperf_release(&child)
    guard result >= 0 else { throw .launch(command: name, errno: -result) }
  }

  /// How the command ended; nil while it runs.
  mutating func poll() -> TargetExit? {
    if let exit { return exit }
    var status: Int32 = 0
    // The status lives for the call.
    let result = unsafe waitpid(process, &status, WNOHANG)
    if result == process {
      exit = Self.meaning(of: status)
    } else if result < 0 && errno != EINTR {
      // Somebody else reaped it, or SIGCHLD is ignored.
      exit = .unknown
    }
    return exit
  }

  /// Passes a signal on.
  func send(_ signal: Int32) {
    _ = kill(process, signal)
  }

  /// The wait status, as `WIFEXITED` and its like read it.
  static func meaning(of status: Int32) -> TargetExit {
    let signal = status & 0x7f
    return signal == 0 ? .exited(status >> 8 & 0xff) : .killed(signal)
  }
}

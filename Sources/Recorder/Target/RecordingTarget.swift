import Glibc
import ProbeEvents

/// Whom a session records.
enum RecordingTarget: ~Copyable {
  case launched(LaunchedCommand)
  case attached(AttachedProcesses)

  /// Forks the command, which waits, or checks the processes.
  init(_ target: RecordingPlan.Target) throws(RecorderError) {
    switch target {
    case .launch(let command): self = .launched(try LaunchedCommand(command))
    case .attach(let processes): self = .attached(try AttachedProcesses(processes))
    }
  }

  /// The processes there are before anything is recorded.
  var processes: [Int32] {
    switch self {
    case .launched(let command): [command.process]
    case .attached(let processes): processes.processes
    }
  }

  /// Opens events for all threads there are, and returns those that ran already.
  func open(_ opening: inout EventOpening) throws(RecorderError) -> [ThreadIdentity] {
    switch self {
    case .launched(let command):
      guard try opening.open([command.process]) == [command.process] else {
        throw .system(operation: "attach to the command", errno: ESRCH)
      }
      return []
    case .attached(let processes):
      return try processes.open(&opening)
    }
  }

  /// Lets a launched command run; nothing for processes that run anyway.
  mutating func release() throws(RecorderError) {
    switch consume self {
    case .launched(var command):
      do throws(RecorderError) {
        try command.release()
        self = .launched(command)
      } catch {
        self = .launched(command)
        throw error
      }
    case .attached(let processes):
      self = .attached(processes)
    }
  }

  /// How the target ended; nil while it runs.
  mutating func poll() -> TargetExit? {
    switch consume self {
    case .launched(var command):
      let exit = command.poll()
      self = .launched(command)
      return exit
    case .attached(let processes):
      self = .attached(processes)
      return processes.areGone ? .unknown : nil
    }
  }

  /// What a signal to the recorder means for the target: a command gets it too, unless the terminal
  /// has sent it to both. Processes attached to are left alone.
  borrowing func pass(_ signal: SignalWatch.Arrival) {
    switch self {
    case .launched(let command): if !signal.isFromTerminal { command.send(signal.number) }
    case .attached: break
    }
  }

  /// How many signals end the recording before the target ends: a command is waited for after the
  /// first.
  var signalsToEnd: Int {
    switch self {
    case .launched: 2
    case .attached: 1
    }
  }

  /// How a target that has not ended is put down in the trailer.
  var unfinished: TargetExit {
    switch self {
    case .launched: .running
    case .attached: .unknown
    }
  }
}

import Glibc
import ProbeEvents

/// The processes attached to.
struct AttachedProcesses {
  /// Passes over the thread lists before giving up on a process that never stops making threads.
  static let passLimit = 64

  /// The processes.
  let processes: [Int32]
  private let starts: [Int32: UInt64]

  /// Checks that all are there.
  init(_ processes: [Int32]) throws(RecorderError) {
    guard !processes.isEmpty else { throw .noTarget }
    self.processes = processes
    var starts: [Int32: UInt64] = [:]
    for process in processes {
      guard process > 0, let start = ProcessStat.startTime(of: process) else {
        throw .noSuchProcess(process)
      }
      starts[process] = start
    }
    self.starts = starts
  }

  /// Opens events for all threads: the lists are read again until nobody is new. A thread made by
  /// one that has all its events inherits them all; only those made while their creator was being
  /// opened for are incomplete, and they are found by the next pass.
  func open(_ opening: inout EventOpening) throws(RecorderError) -> [ThreadIdentity] {
    var seen: Set<ThreadIdentity> = []
    var opened: [ThreadIdentity] = []
    var isComplete = false
    for _ in 0..<Self.passLimit {
      let new = processes.flatMap { process in
        Self.threads(of: process).map { ThreadIdentity(process: process, thread: $0) }
      }.filter { !seen.contains($0) }
      isComplete = new.isEmpty
      if isComplete { break }
      seen.formUnion(new)
      let alive = Set(try opening.open(new.map(\.thread)))
      opened += new.filter { alive.contains($0.thread) }
    }
    if opened.isEmpty { throw .noSuchProcess(processes.first ?? 0) }
    if !isComplete {
      opening.warnings.append("new threads appeared all the while; some may lack hits")
    }
    return opened
  }

  /// The threads a process has now; empty when it is gone.
  static func threads(of process: Int32) -> [Int32] {
    Syscalls.names(in: "/proc/\(process)/task").compactMap { Int32($0) }.sorted()
  }

  /// Whether none is left. A zombie has ended.
  var areGone: Bool {
    processes.allSatisfy { process in
      guard ProcessStat.startTime(of: process) == starts[process] else { return true }
      return Self.threads(of: process).allSatisfy { thread in
        switch ProcessStat.state(of: process, thread: thread) {
        case "Z", "X", nil: true
        default: false
        }
      }
    }
  }
}

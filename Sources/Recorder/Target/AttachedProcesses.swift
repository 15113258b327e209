import Glibc
import ProbeEvents

/// The processes attached to.
struct AttachedProcesses {
  /// Passes over the thread lists before giving up on a process that never stops making threads.
  static let passLimit = 16
  /// Nanoseconds of a clock tick as `/proc` counts them (USER_HZ is 100 everywhere), and how many
  /// the creation of a thread may take.
  static let tick: UInt64 = 10_000_000
  static let creationTicks: UInt64 = 5

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

  /// Opens events for all threads.
  ///
  /// A thread whose creator has all its events inherits them all. One that is just being created
  /// while its creator is opened for inherits a part: it shows up in a later pass, with a start time
  /// from before the end of this one, and gets a whole set of its own. So do processes that they fork
  /// meanwhile, but not those that they had forked before.
  func open(_ opening: inout EventOpening) throws(RecorderError) -> [ThreadIdentity] {
    var seen: Set<ThreadIdentity> = []
    var opened: [ThreadIdentity] = []
    var isComplete = false
    var limit = UInt64.max
    let earlier = Set(processes.flatMap(Self.children))
    for _ in 0..<Self.passLimit where !isComplete {
      let new = family(without: earlier).flatMap { process in
        Self.threads(of: process).map { ThreadIdentity(process: process, thread: $0) }
      }.filter { thread in
        !seen.contains(thread)
          && ProcessStat.startTime(of: thread.process, thread: thread.thread) ?? 0 <= limit
      }
      isComplete = new.isEmpty
      seen.formUnion(new)
      let alive = Set(try opening.open(new.map(\.thread)))
      opened += new.filter { alive.contains($0.thread) }
      limit = Syscalls.nanoseconds(CLOCK_BOOTTIME) / Self.tick + Self.creationTicks
      // Whoever is being created now is there after that.
      _ = Syscalls.poll([], milliseconds: Int32(Self.creationTicks + 1) * 10)
    }
    if opened.isEmpty { throw .noSuchProcess(processes.first ?? 0) }
    if !isComplete {
      opening.warnings.append("new threads appeared all the while; some may lack hits")
    }
    return opened
  }

  /// The processes, and all they have forked but the given ones and theirs.
  private func family(without earlier: Set<Int32>) -> [Int32] {
    var family = processes
    var next = 0
    while next < family.count {
      let children = Self.children(of: family[next])
      family += children.filter { !earlier.contains($0) && !family.contains($0) }
      next += 1
    }
    return family
  }

  /// The child processes that a process has now; none where the kernel does not list them
  /// (CONFIG_PROC_CHILDREN).
  static func children(of process: Int32) -> [Int32] {
    threads(of: process).flatMap { thread in
      let list = try? Syscalls.text(of: "/proc/\(process)/task/\(thread)/children")
      return (list ?? "").split(separator: " ").compactMap { Int32($0) }
    }
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

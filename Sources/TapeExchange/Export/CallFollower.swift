import ProbeEvents
import Replay

/// Follows what a handler concluded and tells a format which calls begin and end.
///
/// The calls are those the handler holds return instances for: a call that a longjmp left ends where
/// the kernel drops its instance. Where nothing is judged (after losses, without registers) a return
/// ends the newest call of its function.
struct CallFollower {
  private var tasks: [ThreadIdentity: FollowedTask] = [:]
  private var nextHit: UInt64 = 0
  private var lastTime: UInt64 = 0
  private var maps = ProcessMapTable()
  private let header: [Probe]

  init(probes: [Probe]) {
    header = probes
  }

  /// Follows the first `count` hits of a block.
  mutating func follow(
    _ columns: HitColumns, _ count: Int, _ conclusions: [AnnotatedConclusion],
    _ writer: inout any ExportWriter
  ) {
    var side = 0
    var next = 0
    for place in 0...count {
      while side < columns.sideEvents.count, columns.sideEvents[side].beforeHit <= place {
        follow(columns.sideEvents[side].event, &writer)
        side += 1
      }
      // What is concluded about a signal carries the number of the hit after it.
      while next < conclusions.count, conclusions[next].hit == nextHit,
        case .signal = conclusions[next].conclusion
      {
        next += 1
      }
      guard place < count else { break }
      var conclusion: AnnotatedConclusion?
      while next < conclusions.count, conclusions[next].hit == nextHit {
        conclusion = conclusions[next]
        next += 1
      }
      follow(columns, place, conclusion, &writer)
      nextHit += 1
    }
  }

  /// Ends all calls that are still open.
  mutating func finish(_ writer: inout any ExportWriter) {
    for thread in tasks.keys.sorted() { close(thread, at: lastTime, .tapeEnded, &writer) }
  }

  // MARK: hits

  private mutating func follow(
    _ columns: HitColumns, _ place: Int, _ conclusion: AnnotatedConclusion?,
    _ writer: inout any ExportWriter
  ) {
    let thread = columns.threadTable[Int(columns.threads[place])]
    var task = tasks.removeValue(forKey: thread) ?? FollowedTask()
    // A clock that goes back must not end a call before it began.
    task.time = max(task.time, columns.times[place])
    lastTime = max(lastTime, task.time)
    var hit = FollowedHit(
      index: nextHit, kind: columns.kinds[place], probe: columns.probes[place], thread: thread,
      place: place, time: task.time, conclusion: conclusion)
    if place < columns.stacks.count, columns.stacks[place] > 0 {
      hit.mappings = (maps.number(of: thread.process), maps.map(of: thread.process))
    }
    switch hit.kind {
    case .entry: enter(columns.functions[place], hit, &task, &writer)
    case .return: hit.returnsHit = leave(columns.functions[place], hit, &task, &writer)
    }
    if case .diverged(let divergence) = conclusion?.conclusion {
      writer.mark(
        thread, at: task.time,
        CallMark(
          name: "diverged: \(divergence.kind.rawValue)",
          detail: "expected \(divergence.expected); actual: \(divergence.actual)", hit: hit.index))
    }
    writer.hit(hit, columns, stack: task.stack)
    tasks[thread] = task
  }

  private func enter(
    _ function: Address, _ hit: FollowedHit, _ task: inout FollowedTask,
    _ writer: inout any ExportWriter
  ) {
    var call = OpenCall(hit: hit.index, probe: hit.probe, function: function, time: task.time)
    guard case .entry(let entry) = hit.conclusion?.conclusion else {
      // Nothing was judged: a call that is probed for its return is taken to have begun.
      if wantsReturn(hit.probe) {
        open(call, &task, hit.thread, &writer)
      } else {
        writer.touch(hit.thread, stack: task.stack, call)
      }
      return
    }
    drop(Int(entry.dropped), hit, &task, &writer)
    switch entry.outcome {
    case .pushed: open(call, &task, hit.thread, &writer)
    case .chained:
      call.isChained = true
      open(call, &task, hit.thread, &writer)
    case .noReturnProbe: writer.touch(hit.thread, stack: task.stack, call)
    case .omittedAtDepthLimit, .chainWithoutInstance, .hijackFailed:
      writer.touch(hit.thread, stack: task.stack, call)
      writer.mark(
        hit.thread, at: task.time,
        CallMark(
          name: "no return instance: \(name(hit.probe))", detail: Self.text(entry.outcome),
          hit: hit.index))
    }
  }

  private static func text(_ outcome: EntryConclusion.Outcome) -> String {
    switch outcome {
    case .omittedAtDepthLimit: "the depth limit is reached"
    case .chainWithoutInstance: "a tail call, and no instance to take the address from"
    case .hijackFailed: "the return address could not be replaced"
    case .noReturnProbe, .pushed, .chained: ""
    }
  }

  /// Ends the call that returns, and those above it that a jump left. Returns its entry.
  private func leave(
    _ function: Address, _ hit: FollowedHit, _ task: inout FollowedTask,
    _ writer: inout any ExportWriter
  ) -> UInt64? {
    let place: Int?
    switch hit.conclusion?.conclusion {
    case .returned(let instance, _):
      place = task.stack.lastIndex { $0.hit == EntryNumber.hit(instance.entry) }
    case .returnOfUnseenEntry:
      drop(task.stack.count, hit, &task, &writer)
      return nil
    case nil, .entry, .signal, .unjudged, .diverged:
      place = task.stack.lastIndex { $0.function == function && $0.probe == hit.probe }
    }
    guard let place else { return nil }
    drop(task.stack.count - 1 - place, hit, &task, &writer)
    let entry = task.stack[place].hit
    end(.returned, hit.thread, &task, &writer)
    return entry
  }

  /// Ends the newest calls as left by a jump.
  private func drop(
    _ count: Int, _ hit: FollowedHit, _ task: inout FollowedTask, _ writer: inout any ExportWriter
  ) {
    for _ in 0..<min(count, task.stack.count) {
      let call = task.stack[task.stack.count - 1]
      writer.mark(
        hit.thread, at: task.time,
        CallMark(
          name: "dropped: \(name(call.probe))",
          detail: "entered at hit \(call.hit), left by a jump", hit: hit.index))
      end(.dropped, hit.thread, &task, &writer)
    }
  }

  private func open(
    _ call: OpenCall, _ task: inout FollowedTask, _ thread: ThreadIdentity,
    _ writer: inout any ExportWriter
  ) {
    // Where nothing is judged, calls left by longjmp would pile up.
    if task.stack.count == FollowedTask.callsMax {
      while !task.stack.isEmpty { end(.dropped, thread, &task, &writer) }
    }
    task.stack.append(call)
    writer.enter(thread, stack: task.stack)
  }

  private func end(
    _ end: CallEnd, _ thread: ThreadIdentity, _ task: inout FollowedTask,
    _ writer: inout any ExportWriter
  ) {
    writer.leave(thread, stack: task.stack, at: task.time, end)
    let ended = task.stack.removeLast()
    if !task.stack.isEmpty {
      task.stack[task.stack.count - 1].inside &+= task.time &- ended.time
    }
  }

  // MARK: side events

  private mutating func follow(_ timed: TimedSideEvent, _ writer: inout any ExportWriter) {
    lastTime = max(lastTime, timed.time)
    maps.note(timed.event)
    switch timed.event {
    case .mapping, .attached, .witness: break
    case .threadName(let thread, let name): writer.name(thread, name)
    case .exec(let thread, let name):
      for other in tasks.keys.filter({ $0.process == thread.process }).sorted() {
        close(other, at: timed.time, .taskEnded, &writer)
      }
      writer.name(thread, name)
    case .exit(let thread): close(thread, at: timed.time, .taskEnded, &writer)
    case .fork(let fork): follow(fork, at: timed.time, &writer)
    case .signal(let delivery):
      writer.mark(
        delivery.thread, at: timed.time,
        CallMark(
          name: "signal \(delivery.number)", detail: delivery.isHandled ? "handled" : "not handled",
          hit: nil))
    case .lost(let lost):
      writer.mark(
        ThreadIdentity(process: 0, thread: 0), at: timed.time,
        CallMark(name: "lost: \(lost.count) records", detail: "", hit: nil))
    }
  }

  /// A new process has the calls of its parent; a new thread starts without.
  private mutating func follow(
    _ fork: TaskFork, at time: UInt64, _ writer: inout any ExportWriter
  ) {
    close(fork.child, at: time, .taskEnded, &writer)
    let isThread =
      fork.cloneFlags.map { $0 & TaskFork.cloneVM != 0 && $0 & TaskFork.cloneVfork == 0 }
      ?? (fork.child.process == fork.parent.process)
    guard !isThread, let parent = tasks[fork.parent] else { return }
    var child = FollowedTask()
    child.time = max(time, parent.time)
    for var call in parent.stack {
      call.time = child.time
      call.inside = 0
      child.stack.append(call)
      writer.enter(fork.child, stack: child.stack)
    }
    tasks[fork.child] = child
  }

  private mutating func close(
    _ thread: ThreadIdentity, at time: UInt64, _ how: CallEnd, _ writer: inout any ExportWriter
  ) {
    guard var task = tasks.removeValue(forKey: thread) else { return }
    task.time = max(task.time, time)
    while !task.stack.isEmpty { end(how, thread, &task, &writer) }
  }

  private func wantsReturn(_ probe: UInt32) -> Bool {
    Int(probe) < header.count && header[Int(probe)].wantsReturn
  }

  private func name(_ probe: UInt32) -> String { header.name(of: probe) }
}

/// The open calls of one task, oldest first.
struct FollowedTask {
  var stack: [OpenCall] = []
  /// Time of its last event.
  var time: UInt64 = 0

  /// More than any kernel holds instances.
  static let callsMax = 4096
}

extension [Probe] {
  /// A probe's name for people.
  func name(of probe: UInt32) -> String {
    Int(probe) < count ? ExportText.line(self[Int(probe)].displayName) : "probe \(probe)"
  }
}

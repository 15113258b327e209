import ProbeEvents
import TapeFormat

/// Judges a tape that lacks stack pointers or return addresses: no handler can be fed, but whatever
/// the handler, a return belongs to a call that was entered in its task and has not returned.
///
/// That is all it checks, so its verdict is never a match.
struct OrderReplayer<Observer: ReplayObserver> {
  private let handlerName: String
  private let probes: [Probe]
  private let wholeFrom: UInt64
  private let limit: EvidenceLimit
  var observer: Observer
  private var tasks: [ThreadIdentity: OrderedTask] = [:]
  private var entries: UInt64 = 0
  private var returns: UInt64 = 0
  private var agreed: UInt64 = 0
  private var lost: UInt64 = 0
  private var evidence = EvidenceCounts()
  private var digest = Digest()
  private var divergences: [Divergence] = []
  private var reason: String?

  init(header: TapeHeader, limit: EvidenceLimit, handlerName: String, observer: Observer) {
    self.handlerName = handlerName
    self.limit = limit
    self.observer = observer
    probes = header.probes
    wholeFrom = header.wholeFrom
    digest.add(handlerName)
  }

  private var nextHit: UInt64 { entries + returns }

  /// Judges one block; its times are needed when the tape is whole only from some time on.
  mutating func feed(_ columns: borrowing HitColumns) {
    for step in columns.order {
      switch step {
      case .event(let event): follow(event.event)
      case .hit(let index): judge(columns, index)
      }
    }
  }

  private mutating func judge(_ columns: borrowing HitColumns, _ index: Int) {
    let thread = columns.threadTable[Int(columns.threads[index])]
    let isWhole = wholeFrom == 0 || columns.times[index] >= wholeFrom
    let call = OrderedTask.Call(
      hit: nextHit, probe: columns.probes[index], function: columns.functions[index])
    switch columns.kinds[index] {
    case .entry:
      if isWhole { enter(call, thread) }
      entries += 1
    case .return:
      if isWhole {
        leave(call, thread, to: columns.instructionPointers[index])
      } else {
        observer.concluded(hit: nextHit, depth: 0, .unjudged)
      }
      returns += 1
    }
    if !isWhole { tasks[thread, default: OrderedTask()].hasUnseenCalls = true }
  }

  /// Stops judging; counting goes on.
  mutating func stopJudging(_ why: String) {
    if reason == nil { reason = why }
  }

  private mutating func enter(_ call: OrderedTask.Call, _ thread: ThreadIdentity) {
    if probes[Int(call.probe)].wantsReturn { tasks[thread, default: OrderedTask()].enter(call) }
    // What the kernel made of it cannot be known here.
    observer.concluded(hit: call.hit, depth: tasks[thread]?.calls.count ?? 0, .unjudged)
  }

  private mutating func leave(
    _ call: OrderedTask.Call, _ thread: ThreadIdentity, to address: Address
  ) {
    var task = tasks[thread] ?? OrderedTask()
    guard reason == nil, task.isJudged else {
      return observer.concluded(hit: call.hit, depth: task.calls.count, .unjudged)
    }
    defer { tasks[thread] = task }
    if let (entered, left) = task.leave(call) {
      agreed += 1
      evidence.returns += 1
      digest.add(entered.hit)
      let instance = PoppedInstance(
        entry: EntryNumber.of(hit: entered.hit, probe: entered.probe), function: entered.function,
        originalReturnAddress: address, handlersRan: true)
      observer.concluded(
        hit: call.hit, depth: task.calls.count, .returned(instance, dropped: left))
    } else if task.hasUnseenCalls {
      task.calls.removeAll()
      evidence.returnsOfUnseenEntries += 1
      observer.concluded(hit: call.hit, depth: 0, .returnOfUnseenEntry)
    } else {
      task.isJudged = false
      let divergence = Divergence(
        hit: call.hit, thread: thread, kind: .unexpectedReturn,
        expected: "the return of a call that is open: " + names(task.calls),
        actual: "the return of \(probes[Int(call.probe)].displayName)", rule: Rule.order)
      divergences.append(divergence)
      digest.add(divergence.expected)
      digest.add(divergence.actual)
      observer.concluded(hit: call.hit, depth: task.calls.count, .diverged(divergence))
    }
  }

  private func names(_ calls: [OrderedTask.Call]) -> String {
    guard !calls.isEmpty else { return "none is" }
    return calls.suffix(4).reversed().map { probes[Int($0.probe)].displayName }
      .joined(separator: ", ")
  }

  private mutating func follow(_ event: SideEvent) {
    switch event {
    case .mapping, .threadName, .signal, .witness: break
    case .attached(let thread): tasks[thread, default: OrderedTask()].hasUnseenCalls = true
    case .fork(let fork):
      // A new thread starts without calls, a new process with its parent's.
      tasks[fork.child] =
        fork.child.process == fork.parent.process ? OrderedTask() : tasks[fork.parent]
    case .exec(let thread, _):
      for other in tasks.keys where other.process == thread.process { tasks[other] = nil }
    case .exit(let thread): tasks[thread] = nil
    case .lost(let hits):
      lost = lost.addingReportingOverflow(hits.count).overflow ? .max : lost + hits.count
      stopJudging(
        "the kernel dropped \(SideEventText.describe(hits)) before hit \(nextHit)")
    }
  }

  /// Draws the conclusion after the last block.
  mutating func finish(_ trailer: TapeTrailer?) -> TapeConclusion {
    if let trailer {
      if trailer.lost > lost {
        lost = trailer.lost
        stopJudging("the kernel dropped \(trailer.lost) records at an unknown place")
      }
    } else {
      stopJudging("the tape is incomplete: its recorder was killed or is still running")
    }
    let checked = "the order of \(agreed) returns agrees; \(limit)"
    let reason = reason.map { $0 + "; " + checked } ?? checked
    digest.add(entries)
    digest.add(returns)
    digest.add(reason)
    return TapeConclusion(
      handler: handlerName, verdict: divergences.isEmpty ? .unjudged : .diverged, reason: reason,
      entries: entries, returns: returns, returnsExpected: agreed, lost: lost,
      evidence: evidence, digest: digest.text, divergences: divergences)
  }
}

/// The calls of one task that were entered and have not returned, as far as order tells.
struct OrderedTask {
  struct Call {
    var hit: UInt64
    var probe: UInt32
    var function: Address
  }

  var calls: [Call] = []
  /// Whether calls may be open that no hit shows.
  var hasUnseenCalls = false
  /// False from its first divergence on.
  var isJudged = true

  /// Calls left by longjmp are never seen ending, and must not pile up for ever.
  private static let callsMax = 4096

  mutating func enter(_ call: Call) {
    if calls.count == Self.callsMax {
      calls.removeFirst(Self.callsMax / 2)
      hasUnseenCalls = true
    }
    calls.append(call)
  }

  /// Ends the newest open call of a function, with how many newer ones were left by a jump; nil when
  /// there is none.
  mutating func leave(_ call: Call) -> (entered: Call, left: Int)? {
    let index = calls.lastIndex { $0.function == call.function && $0.probe == call.probe }
    guard let index else { return nil }
    let entered = calls[index]
    let left = calls.count - 1 - index
    calls.removeSubrange(index...)
    return (entered, left)
  }
}

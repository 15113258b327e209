import HandlerHost
import KernelModel
import ProbeEvents
import TapeFormat

/// Feeds one tape to one handler and holds what the handler concludes against what the tape shows.
///
/// One pass, in the order of the tape. ``feed(_:)`` takes a block of hits; the judging of entries,
/// returns and side events is in the extensions.
struct Replayer<Handler: ProbeHandler & ~Copyable, Observer: ReplayObserver>: ~Copyable {
  let architecture: Architecture
  let probes: [Probe]
  /// By probe, so that the hot path does not touch the probes' texts.
  let wantsReturn: [Bool]
  let wholeFrom: UInt64
  /// What a witness shows while return handlers run.
  let popping: ReturnProbeRules.Popping
  var handler: Handler
  var observer: Observer
  var tasks = TaskTable()
  /// What the handler pops at one arrival, used again for each.
  var popped = PoppedInstances()
  var digest = Digest()
  var evidence = EvidenceCounts()
  var divergences: [Divergence] = []
  /// How many bits each byte has: not every processor that this runs on can count them at once.
  let bitCounts = InlineArray<256, UInt8> { UInt8($0.nonzeroBitCount) }
  /// Entries and returns of the blocks judged.
  private(set) var entries: UInt64 = 0
  private(set) var returns: UInt64 = 0
  /// Index of the next hit on the tape.
  private(set) var nextHit: UInt64 = 0
  var returnsExpected: UInt64 = 0
  var lost: UInt64 = 0
  /// Why judging stopped; nil while it goes on.
  var reason: String?
  /// The process of the launched command, once it has executed its program.
  var launchedProcess: Int32?
  /// A signal without handler that the trampoline sent, with its process.
  var fatalSignal: (process: Int32, number: Int32)?
  /// Why a task could not be judged to its end; nil while all were.
  private(set) var doubt: String?
  /// The thread of the last hit.
  private(set) var lastThread = ThreadIdentity(process: 0, thread: 0)
  /// The task of each thread of the current block; nil while unresolved.
  private var taskOfThread: [JudgedTask?] = []

  init(header: TapeHeader, handler: consuming Handler, observer: Observer) {
    architecture = header.kernel.architecture
    probes = header.probes
    wantsReturn = header.probes.map(\.wantsReturn)
    wholeFrom = header.wholeFrom
    popping = ReturnProbeRules(kernel: header.kernel).popping
    digest.add(handler.name)
    self.handler = handler
    self.observer = observer
  }

  /// Judges one block.
  mutating func feed(_ columns: borrowing HitColumns) {
    taskOfThread.removeAll(keepingCapacity: true)
    taskOfThread.append(contentsOf: repeatElement(nil, count: columns.threadTable.count))
    columns.withView(probes: probes.count) { hits in
      var next = 0
      for side in columns.sideEvents {
        judge(hits, from: next, to: side.beforeHit, columns.threadTable)
        next = max(next, side.beforeHit)
        if isAtReturn(side.event, hits, next, columns.threadTable) {
          judge(hits, from: next, to: next + 1, columns.threadTable)
          next += 1
        }
        judge(side.event)
      }
      judge(hits, from: next, to: hits.count, columns.threadTable)
      returns &+= UInt64(hits.returns)
      entries &+= UInt64(hits.count &- hits.returns)
    }
    if columns.count > 0 {
      lastThread = columns.threadTable[Int(columns.threads[columns.count - 1])]
    }
  }

  /// Whether a side event is the witness of the return hit that comes next.
  private func isAtReturn(
    _ timed: TimedSideEvent, _ hits: HitView, _ index: Int, _ threads: [ThreadIdentity]
  ) -> Bool {
    guard case .witness(let witness) = timed.event, witness.moment == .return, index < hits.count
    else { return false }
    return hits.kind(index) == .return && threads[hits.thread(index)] == witness.thread
  }

  /// Judges the hits between two side events.
  private mutating func judge(
    _ hits: HitView, from first: Int, to end: Int, _ threads: [ThreadIdentity]
  ) {
    var index = first
    let end = min(end, hits.count)
    // Most blocks are of this kind.
    let isPlain = architecture == .x86_64 && !hits.hasCompat && wholeFrom == 0
    while index < end {
      let thread = hits.thread(index)
      let task = task(ofThread: thread, threads)
      // Hits come in runs of one thread.
      repeat {
        if reason == nil, task.state.isJudged {
          if isPlain { judgePlain(hits, index, task) } else { judgeAny(hits, index, task) }
        } else {
          observer.concluded(hit: nextHit, depth: task.held, .unjudged)
        }
        nextHit &+= 1
        index &+= 1
      } while index < end && hits.thread(index) == thread
    }
  }

  @inline(__always)
  private mutating func task(
    ofThread thread: Int, _ threads: [ThreadIdentity]
  ) -> JudgedTask {
    if let known = taskOfThread[thread] { return known }
    let task = task(of: threads[thread])
    taskOfThread[thread] = task
    return task
  }

  /// Where the trampoline of most tasks is, as far as is known; 0 while nothing is.
  var likelyTrampoline: Address { tasks.spaces.latestTrampoline }

  /// Stops judging: what follows depends on something the tape does not have. Counting goes on.
  mutating func stopJudging(_ why: String) {
    if reason == nil { reason = why }
  }

  /// Forgets which thread is which task, because tasks came or went.
  mutating func forgetTasks() {
    for index in taskOfThread.indices { taskOfThread[index] = nil }
  }

  /// A task, new when it was not known.
  @inline(never)
  mutating func task(of identity: ThreadIdentity) -> JudgedTask {
    if let known = tasks.task(of: identity) { return known }
    let task = tasks.add(identity)
    handler.create(slot: task.slot)
    return task
  }

  /// Records the first divergence of a task and stops judging that task.
  @inline(never)
  mutating func diverge(
    _ task: JudgedTask, _ kind: DivergenceClass, expected: String, actual: String, rule: String
  ) {
    task.state.isJudged = false
    if task.limitIsUncertain {
      doubt =
        doubt
        ?? ("thread \(task.identity.thread) ran before recording began, and at hit \(nextHit) may hold so "
          + "many instances from then that the kernel made no more")
      return observer.concluded(hit: nextHit, depth: task.held, .unjudged)
    }
    let divergence = Divergence(
      hit: nextHit, thread: task.identity, kind: kind, expected: expected, actual: actual,
      rule: rule)
    divergences.append(divergence)
    digest.add(divergence.kind.rawValue)
    digest.add(divergence.hit)
    digest.add(divergence.expected)
    digest.add(divergence.actual)
    observer.concluded(hit: nextHit, depth: task.held, .diverged(divergence))
  }

  /// Records a divergence when the handler did something that no kernel does. True when it did.
  @discardableResult
  @inline(__always)
  mutating func divergeIfFaulted(_ task: JudgedTask) -> Bool {
    guard let fault = handler.fault, reason == nil else { return false }
    diverge(task, at: fault)
    return true
  }

  @inline(never)
  private mutating func diverge(_ task: JudgedTask, at fault: HandlerFault) {
    if task.state.isJudged {
      diverge(
        task, fault.kind == .memory ? .wrongMemory : .handlerFaulted, expected: fault.expected,
        actual: fault.actual, rule: fault.kind == .memory ? Rule.hijack : Rule.possible)
    }
    // Nothing the handler says of any task can be trusted from here on.
    stopJudging("the handler faulted at hit \(nextHit)")
  }

}

/// Judging is made for each mode that tasks run in, without a thought for the others.
extension Replayer where Handler: ~Copyable {
  @inline(__always)
  private mutating func judgePlain(_ hits: HitView, _ index: Int, _ task: JudgedTask) {
    switch hits.kind(index) {
    case .entry: judgePlainEntry(hits, index, task)
    case .return: judgePlainReturn(hits, index, task)
    }
  }

  @inline(__always)
  private mutating func judgePlainEntry(_ hits: HitView, _ index: Int, _ task: JudgedTask) {
    judgeEntry(hits, index, task, TaskMode(architecture: .x86_64, isCompat: false))
  }

  @inline(__always)
  private mutating func judgePlainReturn(_ hits: HitView, _ index: Int, _ task: JudgedTask) {
    judgeReturn(hits, index, task, TaskMode(architecture: .x86_64, isCompat: false))
  }

  /// Judges a hit of any kind, if all that came before it was recorded, too.
  @inline(never)
  private mutating func judgeAny(_ hits: HitView, _ index: Int, _ task: JudgedTask) {
    guard wholeFrom == 0 || hits.time(index) >= wholeFrom else {
      return observer.concluded(hit: nextHit, depth: task.held, .unjudged)
    }
    let mode = TaskMode(architecture: architecture, isCompat: hits.isCompat(index))
    switch hits.kind(index) {
    case .entry: judgeEntry(hits, index, task, mode)
    case .return: judgeReturn(hits, index, task, mode)
    }
  }
}

/// An address as divergences print it.
func hexadecimal(_ address: Address) -> String {
  "0x" + String(address, radix: 16)
}

import HandlerHost
import ProbeEvents
import TapeFormat

/// Feeds one tape to one handler and holds what the handler concludes against what the tape shows.
///
/// One pass, in the order of the tape. ``feed(_:)`` takes a block of hits; the judging of entries,
/// returns and side events is in the extensions.
struct Replayer<Handler: ProbeHandler, Observer: ReplayObserver>: ~Copyable {
  let architecture: Architecture
  let probes: [Probe]
  /// By probe, so that the hot path does not touch the probes' texts.
  let wantsReturn: [Bool]
  let wholeFrom: UInt64
  var handler: Handler
  var observer: Observer
  var tasks = TaskTable()
  var shadow = ShadowStacks()
  var pending = PendingReturns()
  /// What the handler pops at one arrival, used again for each.
  var popped = PoppedInstances()
  var digest = Digest()
  var evidence = EvidenceCounts()
  var divergences: [Divergence] = []
  var entries: UInt64 = 0
  var returns: UInt64 = 0
  var returnsExpected: UInt64 = 0
  var lost: UInt64 = 0
  /// Why judging stopped; nil while it goes on.
  var reason: String?
  /// The process of the launched command, once it has executed its program.
  var launchedProcess: Int32?
  /// A signal without handler that the trampoline sent, with its process.
  var fatalSignal: (process: Int32, number: Int32)?
  /// The thread of the last hit.
  private(set) var lastThread = ThreadIdentity(process: 0, thread: 0)
  /// Slot of each thread of the current block; -1 while unresolved.
  private var slotOfThread: [Int] = []

  init(header: TapeHeader, handler: Handler, observer: Observer) {
    architecture = header.kernel.architecture
    probes = header.probes
    wantsReturn = header.probes.map(\.wantsReturn)
    wholeFrom = header.wholeFrom
    self.handler = handler
    self.observer = observer
    digest.add(handler.name)
  }

  /// Index of the next hit on the tape.
  var nextHit: UInt64 { entries + returns }

  /// Judges one block.
  mutating func feed(_ columns: borrowing HitColumns) {
    slotOfThread.removeAll(keepingCapacity: true)
    slotOfThread.append(contentsOf: repeatElement(-1, count: columns.threadTable.count))
    columns.withView(probes: probes.count) { hits in
      var next = 0
      for side in columns.sideEvents {
        judge(hits, from: next, to: side.beforeHit, columns.threadTable)
        next = max(next, side.beforeHit)
        judge(side.event)
      }
      judge(hits, from: next, to: hits.count, columns.threadTable)
    }
    if columns.count > 0 {
      lastThread = columns.threadTable[Int(columns.threads[columns.count - 1])]
    }
  }

  /// Judges the hits between two side events.
  private mutating func judge(
    _ hits: HitView, from first: Int, to end: Int, _ threads: [ThreadIdentity]
  ) {
    var index = first
    while index < min(end, hits.count) {
      let thread = hits.thread(index)
      if slotOfThread[thread] < 0 { slotOfThread[thread] = slot(of: threads[thread]) }
      judgeHit(hits, index, slotOfThread[thread])
      index += 1
    }
  }

  /// Stops judging: what follows depends on something the tape does not have. Counting goes on.
  mutating func stopJudging(_ why: String) {
    if reason == nil { reason = why }
  }

  /// Forgets resolved slots, because tasks came or went.
  mutating func forgetSlots() {
    for index in slotOfThread.indices { slotOfThread[index] = -1 }
  }

  /// The slot of a task, new when it was not known.
  mutating func slot(of identity: ThreadIdentity) -> Int {
    if let known = tasks.slot(of: identity) { return known }
    let slot = tasks.add(identity)
    handler.create(slot: slot)
    shadow.create(slot: slot)
    pending.create(slot: slot)
    return slot
  }

  /// Records the first divergence of a task and stops judging that task.
  mutating func diverge(
    _ slot: Int, _ kind: DivergenceClass, expected: String, actual: String, rule: String
  ) {
    let divergence = Divergence(
      hit: nextHit, thread: tasks[slot].identity, kind: kind, expected: expected, actual: actual,
      rule: rule)
    tasks[slot].isJudged = false
    divergences.append(divergence)
    digest.add(divergence.kind.rawValue)
    digest.add(divergence.hit)
    digest.add(divergence.expected)
    digest.add(divergence.actual)
    observer.concluded(hit: nextHit, depth: shadow.count(slot), .diverged(divergence))
  }

  /// Records a divergence when the handler did something that no kernel does. True when it did.
  @discardableResult
  mutating func divergeIfFaulted(_ slot: Int) -> Bool {
    guard let fault = handler.fault, reason == nil else { return false }
    if tasks[slot].isJudged {
      diverge(
        slot, fault.kind == .memory ? .wrongMemory : .handlerFaulted, expected: fault.expected,
        actual: fault.actual, rule: fault.kind == .memory ? Rule.hijack : Rule.possible)
    }
    // Nothing the handler says of any task can be trusted from here on.
    stopJudging("the handler faulted at hit \(nextHit)")
    return true
  }

  @inline(__always)
  private mutating func judgeHit(_ hits: HitView, _ index: Int, _ slot: Int) {
    let kind = hits.kind(index)
    let isWhole = wholeFrom == 0 || hits.time(index) >= wholeFrom
    if reason == nil, isWhole, tasks[slot].isJudged {
      switch kind {
      case .entry: judgeEntry(hits, index, slot)
      case .return: judgeReturn(hits, index, slot)
      }
    } else {
      observer.concluded(hit: nextHit, depth: shadow.count(slot), .unjudged)
    }
    switch kind {
    case .entry: entries += 1
    case .return: returns += 1
    }
  }
}

/// An address as divergences print it.
func hexadecimal(_ address: Address) -> String {
  "0x" + String(address, radix: 16)
}

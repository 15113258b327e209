import ProbeEvents

/// The first walk through a perf.data: finds what a tape's header must say before the first hit.
///
/// Nothing in the file says where a uprobe event's probe is: the address of its first hit does,
/// together with the mappings of that process.
struct PerfSurvey: PerfEventSink {
  /// The events by attribute.
  private(set) var events: [UprobeEvent] = []
  /// Times of the first and the last hit.
  private(set) var hitTimes: ClosedRange<UInt64>?
  /// Processes that ran when recording began.
  private(set) var runningBefore: Set<Int32> = []
  /// Whether 6.18's trampoline for optimised sites was mapped.
  private(set) var hasOptimizedSites = false
  /// Build ids that mappings brought.
  private(set) var buildIDs: [String: [UInt8]] = [:]

  private var mappings: [Int32: [Mapping]] = [:]

  private static let mappingsMax = 1 << 16

  /// Takes an event in.
  mutating func receive(_ event: PerfEvent, _ session: PerfSession) throws(ExchangeError) {
    meet(session)
    switch event.kind {
    case .sample(let sample): note(sample, event)
    case .side(let side): note(side, event.time)
    }
  }

  /// Takes in events that the session has come to know.
  mutating func meet(_ session: PerfSession) {
    while events.count < session.layouts.count {
      events.append(UprobeEvent(session, event: events.count))
    }
  }

  private mutating func note(_ sample: PerfSample, _ event: PerfEvent) {
    events[sample.event].note(sample, event.record)
    let role = events[sample.event].role
    guard role == .entry || role == .return else { return }
    if let times = hitTimes {
      hitTimes = min(times.lowerBound, event.time)...max(times.upperBound, event.time)
    } else {
      hitTimes = event.time...event.time
    }
    guard events[sample.event].place == nil,
      let function = events[sample.event].function(sample, event.record)
    else { return }
    events[sample.event].place = place(of: function, in: sample.thread.process)
  }

  private func place(of address: Address, in process: Int32) -> UprobeEvent.Place? {
    let mapping = mappings[process]?.last {
      address >= $0.start && address - $0.start < $0.length
    }
    guard let mapping else { return nil }
    return UprobeEvent.Place(
      path: mapping.path, fileOffset: address - mapping.start &+ mapping.fileOffset)
  }

  private mutating func note(_ side: SideBand, _ time: UInt64) {
    switch side {
    case .mapping(let mapping):
      if mapping.path == Mapping.uprobesTrampolineName { hasOptimizedSites = true }
      if !mapping.buildID.isEmpty, buildIDs.count < Self.mappingsMax {
        buildIDs[mapping.path] = mapping.buildID
      }
      var list = mappings[mapping.process] ?? []
      list.removeAll {
        $0.start < mapping.start &+ mapping.length && mapping.start < $0.start &+ $0.length
      }
      if list.count < Self.mappingsMax { list.append(mapping) }
      mappings[mapping.process] = list
    case .name(let thread, _, let isExec):
      if isExec { mappings[thread.process] = nil }
      if time == 0, thread.process == thread.thread { runningBefore.insert(thread.process) }
    case .fork(let fork):
      guard time > 0, fork.child.process != fork.parent.process else { return }
      mappings[fork.child.process] = mappings[fork.parent.process]
    case .exit(let thread):
      if thread.process == thread.thread { mappings[thread.process] = nil }
    case .lost, .lostSamples: break
    }
  }
}

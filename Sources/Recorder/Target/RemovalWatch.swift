/// Tells whether the kernel has taken breakpoints away from a target while it was recorded, which
/// kernels before 6.12 do; see ``PerfAttributes/keepsContexts``.
///
/// The call of the handler that makes the kernel remove a breakpoint counts as a call, but gives no
/// hit. So calls without a hit are lost hits, and those that the breakpoint would have brought later
/// come on top. Where another tracer has breakpoints at the same place in other processes, these
/// calls count as well; nothing tells them apart.
struct RemovalWatch {
  /// An entry event that is watched.
  struct Event: Hashable {
    /// What the user calls the probe.
    var probeName: String
    /// `GROUP/NAME` of the event.
    var name: String
    var tracepoint: UInt64
  }

  private let events: [Event]
  private var callsBefore: [UInt64: UInt64] = [:]
  private var hitsBefore: [UInt64: UInt64] = [:]
  private var callsAfter: [UInt64: UInt64] = [:]

  /// Watches events from ``start(_:hits:)`` on.
  init(_ events: [Event]) {
    self.events = events
  }

  /// Whether there is nothing to watch.
  var isEmpty: Bool { events.isEmpty }

  /// The target may run from now on. `hits` were counted before the profile was made, so that hits
  /// between the two are never missed ones.
  mutating func start(_ profile: UprobeProfile, hits: [UInt64: UInt64]) {
    hitsBefore = hits
    callsBefore = calls(profile)
  }

  /// The end has come. What is called from now on does not matter.
  mutating func stop(_ profile: UprobeProfile) {
    callsAfter = calls(profile)
  }

  /// Calls without a hit by probe, for those that have any, as counted after ``stop(_:)``.
  func missing(hits: [UInt64: UInt64]) -> [(probeName: String, count: UInt64)] {
    events.compactMap { event in
      let number = event.tracepoint
      guard let before = callsBefore[number], let after = callsAfter[number] else { return nil }
      let calls = after &- before
      let counted = (hits[number] ?? 0) &- (hitsBefore[number] ?? 0)
      return calls > counted ? (event.probeName, calls - counted) : nil
    }
  }

  /// What to tell the user about missing hits.
  static func warning(_ missing: [(probeName: String, count: UInt64)]) -> String {
    let names = missing.map { "\($0.probeName) (\($0.count) or more)" }.joined(separator: ", ")
    return "hits are missing of \(names): this kernel takes breakpoints away from processes that "
      + "make threads or children when their parent is recorded as well; record with "
      + "--host-breakpoints, or launch the program without a shell around it (should another "
      + "tracer probe the same function, its hits in other processes may be what is counted here)"
  }

  private func calls(_ profile: UprobeProfile) -> [UInt64: UInt64] {
    var calls: [UInt64: UInt64] = [:]
    for event in events { calls[event.tracepoint] = profile[event.name] }
    return calls
  }
}

import Glibc
import ProbeEvents
import TapeFormat

/// One recording from set-up to clean-up: makes the dynamic events and the perf events, lets
/// ``RecordingPump`` carry the hits, and takes everything away again.
struct RecordingSession: ~Copyable {
  /// Bytes of each CPU's ring unless asked otherwise: what the drainer may be late for. On a machine
  /// with few CPUs it competes with the target for them, and once came 200 ms late under a load of
  /// nine; where there are many, it has one for itself.
  static func ringBytes(cpus: Int) -> Int {
    var bytes = 32 << 20
    while bytes > 4 << 20, bytes * cpus > 128 << 20 { bytes /= 2 }
    return bytes
  }

  private let plan: RecordingPlan
  private let host: Host
  private let tracefs: Tracefs
  private var dynamicEvents: DynamicEvents
  private let witness: WitnessProgram?

  /// Nothing is attached yet; what dead recorders left is removed.
  init(plan: RecordingPlan, host: Host) throws(RecorderError) {
    let tracefs = try Tracefs.reach()
    DynamicEvents.removeThoseOfDeadRecorders(from: tracefs)
    let dynamicEvents = try DynamicEvents()
    var host = host
    // What cannot be observed is left out: the rules have defaults for it.
    for fact in SelfProbe.facts(host.kernel.architecture, tracefs) { host.kernel.set(fact) }
    witness =
      plan.readsWitness ? try WitnessProgram(architecture: host.kernel.architecture) : nil
    self.plan = plan
    self.host = host
    self.tracefs = tracefs
    self.dynamicEvents = dynamicEvents
  }

  /// Attaches, records, and cleans up.
  mutating func run(
    progress: (RecordingProgress) -> Void, makeSink: (TapeHeader) throws -> any RecordingSink
  ) throws(RecorderError) -> RecordingSummary {
    // The command is forked first: it must inherit what we were given, not what we make of it.
    var target = try RecordingTarget(plan.target)
    let signals = try SignalWatch()
    let limit = Syscalls.raiseFileLimit()
    defer { Syscalls.restoreFileLimit(limit) }
    defer { dynamicEvents.removeAll(from: tracefs) }
    let probes = try makeProbeEvents()
    let tracepoints = KernelTracepoints(tracefs)
    let events = try PerfEventSet(cpus: host.cpus, attributes: attributes, ringPages: ringPages)
    defer { events.closeAll() }
    if let witness { try events.open(witness) }
    let removals = try anchor(probes, events, target: target.processes)
    var opening = EventOpening(events: events, tracepoints: tracepoints.events, probes: probes)
    // The rings are drained from now on: opening for many threads takes a while.
    var pump = try RecordingPump(
      events: events, tracepoints: tracepoints, removals: removals,
      architecture: host.kernel.architecture)
    let startTime = Syscalls.now
    let threads = try open(&opening, for: target)
    var header = TapeHeader(
      kernel: host.kernel, probes: plan.probes, stackBytes: plan.stackBytes,
      startRealTime: Syscalls.nanoseconds(CLOCK_REALTIME), startTime: startTime)
    switch plan.target {
    case .launch(let command):
      header.command = command
    case .attach(let processes):
      header.attachedProcesses = processes
      header.wholeFrom = Syscalls.now
    }
    var summary = try pump.run(
      header: header, target: &target, threads: threads, signals: signals, tracefs: tracefs,
      progress: progress, makeSink: makeSink)
    summary.warnings += opening.warnings
    return summary
  }

  /// Opens the events of a target. Nothing is encoded meanwhile, and what is not opened for yet makes
  /// more to open for: among busy threads that must not wait for its turn each time.
  private func open(
    _ opening: inout EventOpening, for target: borrowing RecordingTarget
  ) throws(RecorderError) -> [ThreadIdentity] {
    var haste = Haste()
    haste.hurry()
    return try target.open(&opening)
  }

  private var ringPages: Int {
    plan.ringPages ?? max(1, Self.ringBytes(cpus: host.cpus.count) / host.pageBytes)
  }

  private var attributes: PerfAttributes {
    let waitsForExec =
      switch plan.target {
      case .launch: true
      case .attach: false
      }
    return PerfAttributes(
      registerMask: host.kernel.architecture.registerLayout.perfMask, stackBytes: plan.stackBytes,
      ringBytes: ringPages * host.pageBytes, waitsForExec: waitsForExec,
      keepsContexts: plan.mayKeepContexts)
  }

  /// Holds breakpoints where that is needed or asked for, and returns the events that nothing holds.
  ///
  /// A file that only the target executes is held without being asked: the breakpoints are nowhere
  /// else then.
  private func anchor(
    _ probes: [EventOpening.ProbeEvent], _ events: PerfEventSet, target processes: [Int32]
  ) throws(RecorderError) -> RemovalWatch {
    if events.keepsContexts, !plan.hostBreakpoints { return RemovalWatch([]) }
    let shared =
      plan.hostBreakpoints
      ? [] : FileUsers.shared(Set(plan.probes.map(\.path)), outside: Set(processes))
    for event in probes where !shared.contains(event.probe.path) {
      try events.openAnchor(event.tracepoint.id)
    }
    return RemovalWatch(
      probes.filter { $0.kind == .entry && shared.contains($0.probe.path) }.map {
        .init(probeName: $0.probe.displayName, name: $0.name, tracepoint: $0.tracepoint.id)
      })
  }

  private mutating func makeProbeEvents() throws(RecorderError) -> [EventOpening.ProbeEvent] {
    var list: [EventOpening.ProbeEvent] = []
    for (index, probe) in plan.probes.enumerated() {
      // Returns first: whoever is seen to enter is also seen to return.
      let kinds: [HitKind] = probe.wantsReturn ? [.return, .entry] : [.entry]
      for kind in kinds {
        let event = try dynamicEvents.add(
          kind, path: probe.path, fileOffset: probe.fileOffset,
          referenceCounter: probe.referenceCounter, in: tracefs)
        let name = kind == .entry ? "__probe_ip" : "__probe_func"
        guard let field = event.format.fields[name], field.size == 8 else {
          throw .system(operation: "find \(name) in the format of \(event.name)", errno: ENOENT)
        }
        list.append(
          EventOpening.ProbeEvent(
            probe: probe, kind: kind, name: event.name,
            tracepoint: .init(
              id: event.format.id,
              role: .hit(
                probe: UInt32(index), kind: kind, functionOffset: field.offset,
                hasCallchain: plan.readsCallchain),
              parts: plan.readsCallchain
                ? [.registers, .stack, .callchain] : [.registers, .stack])))
      }
    }
    return list.filter { $0.kind == .return } + list.filter { $0.kind == .entry }
  }
}

import ProbeEvents
import TapeFormat

/// What the second walk does with each event, and what the tape's header says.
struct ImportPlan {
  /// An event whose samples become hits of a probe.
  struct Hits {
    var probe: UInt32
    var kind: HitKind
    var event: UprobeEvent
    var registers: RegisterColumns
  }

  /// By event; nil for those that are left out.
  private(set) var hits: [Hits?]
  private(set) var header: TapeHeader
  /// What is missing, for the user.
  private(set) var notes: [String] = []
  /// Time for what happened before the first record.
  let startTime: UInt64
  /// Build ids of files, which perf finds out at its end.
  let buildIDs: [String: [UInt8]]
  /// Whether perf launched the command.
  let isLaunched: Bool

  private var probes: [Probe] = []
  private var probeOfKey: [Key: Int] = [:]
  private var limit: EvidenceLimit?

  /// What makes events belong to one probe: the place, or kinship where no hit told the place.
  private enum Key: Hashable {
    case place(UprobeEvent.Place)
    case kin(String)
  }

  /// The events that belong together by their names, or offsets.
  private struct Kin {
    var place: UprobeEvent.Place?
    var hasHits = false
    var hasEntry = false

    init(_ event: UprobeEvent) { add(event) }

    mutating func add(_ event: UprobeEvent) {
      place = place ?? event.place
      if event.hits > 0 { hasHits = true }
      if event.role == .entry { hasEntry = true }
    }
  }

  init(_ walk: PerfWalk, _ survey: PerfSurvey, writer: String) throws(ExchangeError) {
    let session = walk.session
    let wanted = survey.events.indices.filter {
      survey.events[$0].role == .entry || survey.events[$0].role == .return
    }
    guard !wanted.isEmpty else {
      throw .noUprobeEvents(session.layouts.indices.map(session.name(of:)).filter { !$0.isEmpty })
    }
    for event in wanted {
      let type = session.layouts[event].attribute.sampleType
      guard type.contains(.tid) else { throw .samplesWithout("thread (PERF_SAMPLE_TID)") }
      guard type.contains(.time) else { throw .samplesWithout("time (PERF_SAMPLE_TIME)") }
      guard type.contains(.ip) else { throw .samplesWithout("address (PERF_SAMPLE_IP)") }
    }
    let architecture = try Self.architecture(session, wanted)
    isLaunched = session.layouts.contains { $0.attribute.flags.contains(.enableOnExec) }
    startTime = walk.firstTime == .max ? 0 : walk.firstTime
    buildIDs = session.features.buildIDs
    hits = Array(repeating: nil, count: survey.events.count)
    header = TapeHeader(
      kernel: KernelFacts(architecture: architecture, release: session.features.release),
      probes: [], stackBytes: 0, startTime: startTime, writer: writer)

    makeProbes(survey.events, wanted, session, architecture)
    nameProbes(survey, session)
    fillHeader(walk, survey, wanted)
    judgeEvidence(walk, survey, wanted)
    addFacts(session, survey)
    header.probes = probes
  }

  private static func architecture(
    _ session: PerfSession, _ wanted: [Int]
  ) throws(ExchangeError) -> Architecture {
    let mask = wanted.reduce(UInt64(0)) { $0 | session.layouts[$1].attribute.registerMask }
    let machine = session.features.machine
    if machine.isEmpty {
      guard let architecture = RegisterColumns.architecture(ofMask: mask) else {
        throw .unknownArchitecture
      }
      return architecture
    }
    guard let architecture = Architecture(name: machine) else {
      throw .unsupportedArchitecture(machine)
    }
    guard RegisterColumns.fits(mask: mask, architecture) else {
      throw .foreignRegisters(mask: mask, architecture: machine)
    }
    return architecture
  }

  // MARK: probes

  /// Puts the entry and the return event of one place together as one probe.
  private mutating func makeProbes(
    _ events: [UprobeEvent], _ wanted: [Int], _ session: PerfSession, _ architecture: Architecture
  ) {
    // Entries first, as they give a probe its name.
    let inOrder =
      wanted.filter { events[$0].role == .entry }
      + wanted.filter {
        events[$0].role == .return
      }
    var kin: [String: Kin] = [:]
    for index in wanted {
      guard let name = events[index].kinship else { continue }
      kin[name, default: Kin(events[index])].add(events[index])
    }
    var taken: Set<[Int]> = []
    for index in inOrder {
      let event = events[index]
      let known = event.kinship.flatMap { kin[$0] }
      guard let probe = probe(of: event, known ?? Kin(event)) else { continue }
      let kind: HitKind = event.role == .entry ? .entry : .return
      if kind == .return { probes[probe].wantsReturn = true }
      guard taken.insert([probe, Int(kind.rawValue)]).inserted else {
        if event.hits > 0 {
          notes.append(
            "\(event.hits) hits of \(title(event)) left out: another event is at the same place")
        }
        continue
      }
      hits[index] = Hits(
        probe: UInt32(probe), kind: kind, event: event,
        registers: RegisterColumns(
          mask: session.layouts[index].attribute.registerMask, architecture.registerLayout))
    }
  }

  /// The probe of an event, new if need be; nil for one that never hit and whose kin never did.
  private mutating func probe(of event: UprobeEvent, _ kin: Kin) -> Int? {
    // One that never hit is where its kin is.
    let place = event.place ?? kin.place
    if place == nil, event.hits == 0, !kin.hasHits {
      if event.role == .return, !kin.hasEntry {
        restrict(.nothing("\(title(event)) never fired, so its function is not known"))
      }
      return nil
    }
    let key = place.map(Key.place) ?? .kin(event.kinship ?? "")
    if let known = probeOfKey[key] { return known }
    if place == nil { notes.append("no mapping has the addresses of \(title(event))") }
    probeOfKey[key] = probes.count
    probes.append(
      Probe(
        path: place?.path ?? "", fileOffset: place?.fileOffset ?? event.fileOffset ?? 0,
        symbol: event.baseName, wantsReturn: false))
    return probes.count - 1
  }

  private mutating func nameProbes(_ survey: PerfSurvey, _ session: PerfSession) {
    for index in probes.indices {
      let path = probes[index].path
      probes[index].buildID = session.features.buildIDs[path] ?? survey.buildIDs[path] ?? []
    }
  }

  private func title(_ event: UprobeEvent) -> String {
    if event.name.isEmpty { return event.role == .entry ? "a uprobe" : "a uretprobe" }
    return event.system.isEmpty ? event.name : event.system + ":" + event.name
  }

  // MARK: header

  private mutating func fillHeader(_ walk: PerfWalk, _ survey: PerfSurvey, _ wanted: [Int]) {
    let session = walk.session
    for event in wanted where session.layouts[event].attribute.sampleType.contains(.stack) {
      header.stackBytes = max(header.stackBytes, session.layouts[event].attribute.stackBytes)
    }
    if let clocks = session.features.clocks {
      // Both were read at one moment, which is not the first record's.
      header.startRealTime =
        startTime >= clocks.events
        ? clocks.real &+ (startTime - clocks.events) : clocks.real &- (clocks.events - startTime)
    }
    if isLaunched {
      let line = session.features.commandLine
      if let dashes = line.firstIndex(of: "--") { header.command = Array(line[(dashes + 1)...]) }
    } else {
      header.attachedProcesses =
        session.watched.filter { survey.runningBefore.contains($0) }.sorted()
      header.wholeFrom = wholeFrom(walk, survey)
    }
  }

  /// From when on all events were switched on.
  ///
  /// perf switches them on one after the other before it reads for the first time, so whatever comes
  /// after the first round of reading is whole. The first round can be long; but to switch on one
  /// event takes microseconds, here counted as 100, and 10 milliseconds in all at least.
  private func wholeFrom(_ walk: PerfWalk, _ survey: PerfSurvey) -> UInt64 {
    let first = survey.hitTimes?.lowerBound ?? startTime
    let after = first &+ max(10_000_000, UInt64(walk.session.openedCount) * 100_000)
    return min(after, walk.firstRoundEnd.map { $0 &+ 1 } ?? after)
  }

  private mutating func addFacts(_ session: PerfSession, _ survey: PerfSurvey) {
    let features = session.features
    func add(_ name: String, _ value: String) {
      header.kernel.set(KernelFact(name: name, value: value, isObserved: true))
    }
    add("recorded-by", "perf " + features.perfVersion)
    if !features.commandLine.isEmpty {
      add("perf-command", features.commandLine.joined(separator: " "))
    }
    // CLOCK_MONOTONIC is 1.
    let isMonotonic = hits.indices.allSatisfy { index in
      guard hits[index] != nil else { return true }
      let attribute = session.layouts[index].attribute
      return attribute.flags.contains(.useClockID) && attribute.clockID == 1
    }
    add("clock", isMonotonic ? "CLOCK_MONOTONIC" : "perf")
    if !isMonotonic { notes.append("times are of perf's own clock, not CLOCK_MONOTONIC") }
    if features.onlineCPUs > 0 {
      header.kernel.set(KernelFact(.cpus, String(features.onlineCPUs)))
    }
    if let page = features.tracing?.pageSize, page > 0 {
      header.kernel.set(KernelFact(.pageSize, String(page)))
    }
    if survey.hasOptimizedSites { header.kernel.set(KernelFact(.optimizedSites, "nop5")) }
    if features.release.isEmpty {
      notes.append("the kernel's release is not in the file: rules of the newest kernel apply")
    }
    if let limit { header.kernel.set(limit.fact) }
  }

  // MARK: evidence

  private mutating func restrict(_ new: EvidenceLimit) {
    switch (limit, new) {
    case (nil, _), (.order, .nothing): limit = new
    case (.nothing, _), (.order, .order): break
    }
  }

  /// Says what cannot be held against a handler.
  private mutating func judgeEvidence(_ walk: PerfWalk, _ survey: PerfSurvey, _ wanted: [Int]) {
    let layout = header.kernel.architecture.registerLayout
    var kinds: [UInt32: Set<HitKind>] = [:]
    for index in wanted {
      guard let planned = hits[index] else { continue }
      let attribute = walk.session.layouts[index].attribute
      kinds[planned.probe, default: []].insert(planned.kind)
      if !attribute.samplesAll {
        restrict(.nothing("perf did not sample every hit of \(title(planned.event))"))
      }
      if attribute.flags.contains(.writeBackward) {
        restrict(.nothing("perf kept the newest hits only (--overwrite)"))
      }
      if planned.event.lacksFunction {
        restrict(.nothing("samples of \(title(planned.event)) lack the call's address"))
      }
      judgeSample(planned, attribute, layout)
    }
    for (probe, seen) in kinds.sorted(by: { $0.key < $1.key }) where seen == [.return] {
      restrict(.nothing("no entry event for \(probes[Int(probe)].displayName) was recorded"))
    }
    if let times = survey.hitTimes, times.upperBound < header.wholeFrom {
      restrict(.nothing("all hits are from when perf was still switching its events on"))
    }
    if let limit { notes.append(limit.description) }
  }

  private mutating func judgeSample(
    _ planned: Hits, _ attribute: PerfAttribute, _ layout: RegisterLayout
  ) {
    let has = attribute.sampleType.contains(.registers) ? planned.registers : nil
    guard let has, has.has(layout.stackPointer) else {
      return restrict(.order("the samples have no stack pointer (--user-regs)"))
    }
    if let link = layout.linkRegister {
      if !has.has(link) { restrict(.order("the samples have no link register (--user-regs)")) }
    } else if !attribute.sampleType.contains(.stack) || attribute.stackBytes < 8 {
      restrict(.order("the samples have no stack words (--call-graph dwarf)"))
    }
    if !has.missing.isEmpty {
      let note = "registers not sampled are 0: \(has.missing.joined(separator: " "))"
      if !notes.contains(note) { notes.append(note) }
    }
  }
}

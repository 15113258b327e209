import CPerfEvent
import Glibc
import ProbeEvents

/// All perf events of a recording and their rings: one event per purpose, thread and CPU, all
/// writing into one ring per CPU.
///
/// A ring belongs to an event on ourselves that never counts anything: so it is there, and can be
/// drained, before the first event of a target is open, and outlives every thread of it.
final class PerfEventSet {
  /// The recording's own tracepoint events beside the probes.
  struct Tracepoint {
    var id: UInt64
    var role: EventTable.Role
    var parts: PerfAttributes.SampleParts
  }

  private struct Opened {
    var descriptor: Int32
    var ring: Int
    /// The tracepoint's number; 0 for the side band.
    var tracepoint: UInt64 = 0
  }

  /// The rings, one per CPU.
  private(set) var rings: [PerfRing] = []
  /// What the events are for.
  private(set) var table = EventTable()
  /// What went less well than asked.
  private(set) var warnings: [String] = []

  /// How many CPUs events are opened on.
  var cpuCount: Int { cpus.count }

  private let cpus: [Int32]
  private let ringPages: Int
  private var attributes: PerfAttributes
  private var owners: [Int32] = []
  private var sideBand: [Opened] = []
  private var tracepoints: [Opened] = []
  private var returns: [Opened] = []
  private var entries: [Opened] = []
  private var anchors: [Int32] = []
  private var witness: WitnessProgram?
  private var witnesses: [Opened] = []
  /// The tracepoints at whose hits the witness reads.
  private var witnessed: Set<UInt64> = []

  /// The rings, and no events of a target yet.
  init(
    cpus: [Int32], attributes: PerfAttributes, ringPages: Int
  ) throws(RecorderError) {
    self.cpus = cpus
    self.attributes = attributes
    self.ringPages = ringPages
    for cpu in cpus {
      var attributes = attributes.ringOwner
      // The attributes live for the call.
      let descriptor = unsafe cperf_open(&attributes, 0, cpu)
      guard descriptor >= 0 else { throw Self.refusal(-descriptor, needed: cpus.count) }
      owners.append(descriptor)
      rings.append(try mapRing(descriptor, cpu: cpu))
    }
    if let cpu = cpus.first { try settleAttributes(cpu: cpu) }
  }

  deinit {
    closeAll()
  }

  /// Opens the side band and the given tracepoints for a thread, on every CPU.
  /// False when the thread is gone.
  func openBase(thread: Int32, tracepoints list: [Tracepoint]) throws(RecorderError) -> Bool {
    // A fork's side-band record waits for what its tracepoint adds, so that comes first.
    for tracepoint in list {
      guard let opened = try open(tracepoint, thread: thread) else { return false }
      tracepoints += opened
    }
    for (index, cpu) in cpus.enumerated() {
      guard let descriptor = try openEvent(thread: thread, cpu: cpu, { $0.sideBand }) else {
        return false
      }
      sideBand.append(Opened(descriptor: descriptor, ring: index))
      try register(descriptor, .init(role: .sideBand, owner: thread))
      try redirect(descriptor, to: index)
    }
    return true
  }

  /// Opens a probe's event for a thread, on every CPU. False when the thread is gone.
  func openProbe(
    _ tracepoint: Tracepoint, kind: HitKind, thread: Int32
  ) throws(RecorderError) -> Bool {
    guard let opened = try open(tracepoint, thread: thread) else { return false }
    if let witness, let first = opened.first, witnessed.insert(tracepoint.id).inserted {
      try witness.attach(to: first.descriptor)
    }
    switch kind {
    case .entry: entries += opened
    case .return: returns += opened
    }
    return true
  }

  /// Lets a witness write into the rings, from the next probe's event on.
  func open(_ witness: WitnessProgram) throws(RecorderError) {
    for (index, cpu) in cpus.enumerated() {
      guard let descriptor = try openEvent(thread: -1, cpu: cpu, { $0.witness }) else { continue }
      witnesses.append(Opened(descriptor: descriptor, ring: index))
      try register(descriptor, .init(role: .witness, owner: -1))
      try redirect(descriptor, to: index)
      try witness.connect(cpu: cpu, event: descriptor)
    }
    witness.attachToTrampolines()
    self.witness = witness
  }

  /// Whether breakpoints stay where a target needs them without anchors; see
  /// ``PerfAttributes/keepsContexts``.
  var keepsContexts: Bool { attributes.keepsContexts }

  /// Holds a tracepoint's breakpoints in every process of the host: a system-wide event, which never
  /// counts, keeps the kernel from asking which tasks want them
  /// (`kernel/trace/trace_uprobe.c uprobe_perf_filter()`).
  func openAnchor(_ tracepoint: UInt64) throws(RecorderError) {
    var attributes = attributes.anchor(tracepoint)
    // The attributes live for the call.
    let descriptor = unsafe cperf_open(&attributes, -1, cpus.first ?? 0)
    guard descriptor >= 0 else { throw Self.refusal(-descriptor, needed: needed) }
    anchors.append(descriptor)
  }

  /// What the entry events have counted so far, delivered or dropped, by tracepoint.
  func entryCounts() -> [UInt64: UInt64] {
    var counts: [UInt64: UInt64] = [:]
    for event in entries {
      var value: UInt64 = 0
      var lost: UInt64 = 0
      // Both live for the call.
      if unsafe cperf_read_counter(event.descriptor, &value, &lost) == 0 {
        counts[event.tracepoint, default: 0] &+= value
      }
    }
    return counts
  }

  private var needed: Int {
    (sideBand.count + tracepoints.count + returns.count + entries.count) * 2
  }

  /// Disables everything, entries first.
  func disableAll() {
    for event in entries + returns + tracepoints + sideBand + witnesses {
      _ = cperf_disable(event.descriptor)
    }
  }

  /// Records dropped so far, as the kernel counts them per event; nil before 6.0.
  func lostByCPU() -> [UInt64]? {
    guard attributes.countsLost else { return nil }
    var sums = [UInt64](repeating: 0, count: cpus.count)
    for event in sideBand + tracepoints + returns + entries + witnesses {
      var value: UInt64 = 0
      var lost: UInt64 = 0
      // Both live for the call.
      if unsafe cperf_read_counter(event.descriptor, &value, &lost) == 0 {
        sums[event.ring] &+= lost
      }
    }
    return sums
  }

  /// Closes all events; the breakpoints go with the last event of each probe.
  func closeAll() {
    rings = []
    for event in entries + returns + tracepoints + sideBand + witnesses {
      _ = close(event.descriptor)
    }
    for descriptor in anchors + owners { _ = close(descriptor) }
    witness = nil
    witnesses = []
    anchors = []
    owners = []
    entries = []
    returns = []
    tracepoints = []
    sideBand = []
  }

  private func open(
    _ tracepoint: Tracepoint, thread: Int32
  ) throws(RecorderError) -> [Opened]? {
    var opened: [Opened] = []
    for (index, cpu) in cpus.enumerated() {
      let descriptor: Int32?
      do throws(RecorderError) {
        descriptor = try openEvent(thread: thread, cpu: cpu) {
          $0.tracepoint(tracepoint.id, parts: tracepoint.parts)
        }
      } catch {
        for event in opened { _ = close(event.descriptor) }
        throw error
      }
      guard let descriptor else {
        for event in opened { _ = close(event.descriptor) }
        return nil
      }
      opened.append(Opened(descriptor: descriptor, ring: index, tracepoint: tracepoint.id))
      try redirect(descriptor, to: index)
      try register(descriptor, .init(role: tracepoint.role, owner: thread))
    }
    return opened
  }

  /// Opens one event; nil when the thread is gone.
  private func openEvent(
    thread: Int32, cpu: Int32, _ make: (PerfAttributes) -> perf_event_attr
  ) throws(RecorderError) -> Int32? {
    var attributes = make(attributes)
    // The attributes live for the call.
    let descriptor = unsafe cperf_open(&attributes, thread, cpu)
    if descriptor == -ESRCH { return nil }
    guard descriptor >= 0 else { throw Self.refusal(-descriptor, needed: needed) }
    return descriptor
  }

  /// Older kernels refuse attributes they do not know: those are dropped one by one. Tried on
  /// ourselves, where nothing else can be the reason.
  private func settleAttributes(cpu: Int32) throws(RecorderError) {
    while true {
      var attributes = self.attributes.sideBand
      // The attributes live for the call.
      let descriptor = unsafe cperf_open(&attributes, 0, cpu)
      if descriptor >= 0 {
        _ = close(descriptor)
        return
      }
      switch -descriptor {
      case EINVAL where self.attributes.keepsContexts: self.attributes.keepsContexts = false
      case EINVAL where self.attributes.countsLost: self.attributes.countsLost = false
      case EINVAL where self.attributes.carriesBuildIDs: self.attributes.carriesBuildIDs = false
      default: throw Self.refusal(-descriptor, needed: needed)
      }
    }
  }

  /// Why perf_event_open refused.
  static func refusal(_ number: Int32, needed: Int) -> RecorderError {
    switch number {
    case EMFILE, ENFILE: .tooManyEvents(needed: needed)
    case EPERM where Lockdown.current == .confidentiality: .lockedDown
    case EPERM, EACCES: .notPermitted(operation: "open a perf event", errno: number)
    case ENOSYS: .perfEventsUnavailable(errno: number)
    default: .system(operation: "open a perf event", errno: number)
    }
  }

  private func register(_ descriptor: Int32, _ entry: EventTable.Entry) throws(RecorderError) {
    var identifier: UInt64 = 0
    // The identifier lives for the call.
    let result = unsafe cperf_id(descriptor, &identifier)
    guard result >= 0 else {
      throw .system(operation: "ask for a perf event's identifier", errno: -result)
    }
    table.add(identifier, entry)
  }

  private func redirect(_ descriptor: Int32, to index: Int) throws(RecorderError) {
    let result = cperf_set_output(descriptor, rings[index].descriptor)
    guard result >= 0 else {
      throw .system(operation: "redirect a perf event into the ring", errno: -result)
    }
  }

  private func mapRing(_ descriptor: Int32, cpu: Int32) throws(RecorderError) -> PerfRing {
    var pages = rings.first.map { $0.dataBytes / Int(sysconf(Int32(_SC_PAGESIZE))) } ?? ringPages
    while true {
      do throws(SystemFailure) {
        let ring = try PerfRing(descriptor: descriptor, cpu: UInt16(clamping: cpu), pages: pages)
        if pages < ringPages {
          warnings.append(
            "the ring of CPU \(cpu) has \(pages) pages instead of \(ringPages), because of the limit "
              + "on locked memory; hits may be lost")
        }
        return ring
      } catch {
        guard error.number == EPERM || error.number == ENOMEM, pages > 1 else {
          throw .rings(errno: error.number)
        }
        pages /= 2
      }
    }
  }
}

import Glibc
import ProbeEvents

/// Opens a recording's events for the threads of a target.
struct EventOpening {
  /// A probe's dynamic event.
  struct ProbeEvent {
    var probe: Probe
    var kind: HitKind
    /// `GROUP/NAME` in tracefs.
    var name: String
    var tracepoint: PerfEventSet.Tracepoint
  }

  /// The events to open for.
  let events: PerfEventSet
  /// The kernel's own tracepoints.
  let tracepoints: [PerfEventSet.Tracepoint]
  /// The probes' events, returns before entries.
  let probes: [ProbeEvent]
  /// How many descriptors the process may have.
  let descriptorLimit: UInt64
  /// What went less well than asked.
  var warnings: [String] = []

  /// No events yet.
  init(
    events: PerfEventSet, tracepoints: [PerfEventSet.Tracepoint], probes: [ProbeEvent],
    descriptorLimit: UInt64 = Syscalls.descriptorLimit
  ) {
    self.events = events
    self.tracepoints = tracepoints
    self.probes = probes
    self.descriptorLimit = descriptorLimit
  }

  /// Opens everything for threads, each kind for all of them before the next kind. Threads that end
  /// meanwhile are passed over; returns the others.
  func open(_ threads: [Int32]) throws(RecorderError) -> [Int32] {
    let needed = threads.count * events.cpuCount * (1 + tracepoints.count + probes.count)
    guard UInt64(needed) < descriptorLimit else { throw .tooManyEvents(needed: needed) }
    var alive: [Int32] = []
    for thread in threads where try events.openBase(thread: thread, tracepoints: tracepoints) {
      alive.append(thread)
    }
    for probe in probes {
      var rest: [Int32] = []
      for thread in alive where try open(probe, thread: thread) { rest.append(thread) }
      alive = rest
    }
    return alive
  }

  private func open(_ probe: ProbeEvent, thread: Int32) throws(RecorderError) -> Bool {
    do throws(RecorderError) {
      return try events.openProbe(probe.tracepoint, kind: probe.kind, thread: thread)
    } catch {
      // The first event of a probe puts the breakpoint in: here the kernel looks at the place.
      if case .system(_, let number) = error {
        throw .probeRefused(
          path: probe.probe.path, fileOffset: probe.probe.fileOffset, errno: number)
      }
      throw error
    }
  }
}

import CPerfEvent
import Glibc
import ProbeEvents

/// A probe on ourselves: a forked child calls functions that are there to be probed. It shows whether
/// probes work here and how this kernel makes its trampolines.
///
/// The child reads the trampoline itself: the kernel lets nobody else read the `[uprobes]` area.
struct SelfProbe: ~Copyable {
  /// Calls that the child makes to a function.
  static let calls: UInt64 = 3

  private var events: DynamicEvents
  private var child: cperf_child
  private var descriptors: [Int32] = []

  /// Forks the child.
  init() throws(RecorderError) {
    let events = try DynamicEvents()
    var child = cperf_child()
    // The structure lives for the call.
    let result = unsafe cperf_spawn_probed(&child)
    guard result >= 0 else { throw .system(operation: "fork", errno: -result) }
    self.events = events
    self.child = child
  }

  /// Takes everything away.
  consuming func end(_ tracefs: borrowing Tracefs) {
    for descriptor in descriptors { close(descriptor) }
    events.removeAll(from: tracefs)
    // The structure lives for the call.
    unsafe cperf_abandon(&child)
  }

  /// What one function showed.
  struct Observation {
    /// Hits of each kind asked for, in the order asked for.
    var hits: [UInt64]
    /// First bytes of the return trampoline; empty when there is none or it cannot be read.
    var trampoline: [UInt8]
    /// First byte of the function after the calls.
    var siteByte: UInt8?
  }

  /// Probes a function, lets the child call it, and looks.
  mutating func probe(
    _ site: UInt, kinds: [HitKind], in tracefs: borrowing Tracefs
  ) throws(RecorderError) -> Observation {
    guard let place = Self.place(of: UInt64(site)) else {
      throw .system(operation: "find our own program in /proc/self/maps", errno: ENOENT)
    }
    let first = descriptors.count
    for kind in kinds {
      let event = try events.add(kind, path: place.path, fileOffset: place.offset, in: tracefs)
      descriptors.append(try Self.open(event.format.id, process: child.pid))
    }
    var address: UInt = 0
    // Structure and address live for the call.
    guard unsafe cperf_probed_call(&child, site, Int32(Self.calls), &address) == 0 else {
      throw .system(operation: "probe ourselves", errno: ECHILD)
    }
    let area = ProcessMaps.executable(of: child.pid).first { $0.path == Mapping.uprobesName }
    var bytes: [UInt8] = []
    if let area, area.start == UInt64(address) {
      bytes = [UInt8](repeating: 0, count: 16)
      // The shim fills 16 bytes, which is what there are.
      if unsafe cperf_probed_peek(&child, address, &bytes) != 0 { bytes = [] }
    }
    let memory = "/proc/\(child.pid)/mem"
    return Observation(
      hits: descriptors[first...].map(Self.count), trampoline: bytes,
      siteByte: (try? Syscalls.read(memory, at: UInt64(site), count: 1))?.first)
  }

  /// What this kernel does, as far as it shows.
  static func facts(
    _ architecture: Architecture, _ tracefs: borrowing Tracefs
  ) -> [KernelFact] {
    guard var probe = try? SelfProbe() else { return [] }
    let facts = (try? probe.facts(architecture, tracefs)) ?? []
    probe.end(tracefs)
    return facts
  }

  private mutating func facts(
    _ architecture: Architecture, _ tracefs: borrowing Tracefs
  ) throws(RecorderError) -> [KernelFact] {
    let nop5 = try probe(cperf_site_nop5_address(), kinds: [.return], in: tracefs)
    guard nop5.hits == [Self.calls], let siteByte = nop5.siteByte else { return [] }
    switch architecture {
    case .x86_64:
      let int3: UInt8 = 0xcc
      var facts = nop5.trampoline.first.map {
        [KernelFact(.returnTrampoline, $0 == int3 ? "breakpoint" : "syscall")]
      }
      if siteByte == int3 {
        // Each first hit of a probe costs milliseconds: the second function only where it matters.
        let nop10 = try probe(cperf_site_nop10_address(), kinds: [.return], in: tracefs)
        let name = nop10.siteByte == int3 ? "none" : "nop10"
        facts?.append(KernelFact(.optimizedSites, name))
      } else {
        facts?.append(KernelFact(.optimizedSites, "nop5"))
      }
      return facts ?? []
    case .aarch64:
      // BRK with any immediate, little-endian. (The area may not be readable at all there.)
      let bytes = nop5.trampoline
      guard bytes.count >= 4, bytes[3] == 0xd4, bytes[2] & 0xe0 == 0x20, bytes[0] & 0x1f == 0
      else { return [KernelFact(.optimizedSites, "none")] }
      return [KernelFact(.returnTrampoline, "breakpoint"), KernelFact(.optimizedSites, "none")]
    }
  }

  private static func place(of address: UInt64) -> (path: String, offset: UInt64)? {
    for mapping in ProcessMaps.executable(of: getpid()) {
      guard address >= mapping.start, address - mapping.start < mapping.length else { continue }
      return (mapping.path, address - mapping.start + mapping.fileOffset)
    }
    return nil
  }

  /// Opens a counter: it needs no ring.
  private static func open(_ id: UInt64, process: Int32) throws(RecorderError) -> Int32 {
    var attributes = perf_event_attr()
    attributes.size = UInt32(MemoryLayout<perf_event_attr>.size)
    attributes.type = PERF_TYPE_TRACEPOINT.rawValue
    attributes.config = id
    // The attributes live for the call.
    let descriptor = unsafe cperf_open(&attributes, process, -1)
    guard descriptor >= 0 else { throw PerfEventSet.refusal(-descriptor, needed: 1) }
    return descriptor
  }

  private static func count(_ descriptor: Int32) -> UInt64 {
    var value: UInt64 = 0
    var lost: UInt64 = 0
    // Both live for the call.
    _ = unsafe cperf_read_counter(descriptor, &value, &lost)
    return value
  }
}

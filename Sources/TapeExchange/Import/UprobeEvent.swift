import ProbeEvents

/// What one event of a perf.data is to us.
struct UprobeEvent {
  enum Role: Hashable {
    case entry
    case `return`
    /// A uprobe event only if its samples look like it: the file does not have its format.
    case undecided
    case other
  }

  /// Where a probe is: nothing in a perf.data says it but the addresses of its hits.
  struct Place: Hashable {
    var path: String
    var fileOffset: UInt64
  }

  var role: Role
  /// Offset in the raw data: of the address of an entry, of the call's address of a return.
  var functionOffset = 8
  /// Offset in the raw data of the address that a return goes to.
  var returnOffset = 16
  /// Group of the event; empty when the event has no name.
  var system = ""
  /// Name of the event in its group.
  var name = ""
  /// Offset in the file, which only events of the uprobe PMU tell.
  var fileOffset: UInt64?
  var place: Place?
  var hits: UInt64 = 0
  /// Whether its samples are from the kernel: then it is a kprobe event.
  var isKernel = false
  /// Whether its samples lack the address of the call that returns.
  var lacksFunction = false

  /// What an entry and a return event of one probe have in common before any hit tells the place;
  /// nil when nothing does.
  var kinship: String? {
    if let fileOffset { return "offset \(fileOffset)" }
    return name.isEmpty ? nil : system + ":" + baseName
  }

  /// The name of the probe: the event's, without the ending that perf gives return events.
  var baseName: String {
    let ending = "__return"
    return name.hasSuffix(ending) && name.count > ending.count
      ? String(name.dropLast(ending.count)) : name
  }

  /// The event of an attribute, as far as the file's head tells.
  init(_ session: PerfSession, event: Int) {
    let attribute = session.layouts[event].attribute
    let full = session.name(of: event)
    if let colon = full.firstIndex(of: ":") {
      system = String(full[..<colon])
      name = String(full[full.index(after: colon)...])
    } else {
      name = full
    }
    role = .other
    if attribute.type == PerfAttribute.tracepoint {
      role = tracepointRole(session.features.tracing, attribute.config)
    } else if attribute.type >= PerfAttribute.firstDynamicType {
      let source = session.features.sources[attribute.type]
      // kernel/events/core.c perf_uprobe: bit 0 of `config` is `retprobe`.
      if source == "uprobe" {
        role = attribute.config & 1 == 1 ? .return : .entry
        name = ""
        fileOffset = attribute.config2
      } else if source == nil, session.features.sources.isEmpty {
        role = .undecided
      }
    }
  }

  private mutating func tracepointRole(_ tracing: TracingData?, _ id: UInt64) -> Role {
    guard let format = tracing?.formats[id] else {
      return tracing?.isWhole == true ? .other : .undecided
    }
    // kernel/trace/trace_uprobe.c uprobe_event_define_fields().
    if let offset = format.offsets["__probe_ip"] {
      functionOffset = offset
      return .entry
    }
    guard let function = format.offsets["__probe_func"],
      let address = format.offsets["__probe_ret_ip"]
    else { return .other }
    functionOffset = function
    returnOffset = address
    return .return
  }

  /// Takes a sample into account.
  mutating func note(_ sample: PerfSample, _ record: PerfRecord) {
    hits += 1
    if !sample.isUser {
      isKernel = true
      role = .other
    }
    if role == .undecided { role = roleByLooks(sample, record) }
    if role != .other, function(sample, record) == nil { lacksFunction = true }
  }

  /// An entry has its address in the raw data, a return the one that it goes to.
  private func roleByLooks(_ sample: PerfSample, _ record: PerfRecord) -> Role {
    if sample.rawNumber(8, record) == sample.ip { return .entry }
    if sample.rawNumber(16, record) == sample.ip { return .return }
    return .other
  }

  /// The probed address of a sample's call; nil when the sample does not have it.
  func function(_ sample: PerfSample, _ record: PerfRecord) -> Address? {
    sample.rawNumber(functionOffset, record) ?? (role == .entry ? sample.ip : nil)
  }
}

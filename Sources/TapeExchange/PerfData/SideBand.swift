import ProbeEvents

/// What the records beside the samples say.
enum SideBand {
  /// A file mapped executable by a user process.
  case mapping(Mapping)
  /// A thread's name, and whether it comes from an exec.
  case name(ThreadIdentity, String, isExec: Bool)
  case fork(TaskFork)
  case exit(ThreadIdentity)
  /// Records dropped because a ring was full.
  case lost(UInt64)
  /// The kernel's exact count of samples dropped of one event.
  case lostSamples(UInt64)

  /// Reads a record; nil when it is of no interest, or malformed.
  init?(_ record: PerfRecord, _ layout: RecordLayout) {
    let end = record.bytes.count - layout.trailerSize
    guard end >= 8 else { return nil }
    var cursor = ByteCursor(record.bytes, from: 8, to: end)
    switch record.kind {
    case PerfRecord.Kind.mmap, PerfRecord.Kind.mmap2:
      guard let mapping = Self.mapping(record, &cursor) else { return nil }
      self = .mapping(mapping)
    case PerfRecord.Kind.comm:
      guard let thread = Self.thread(&cursor), let name = cursor.text(cursor.left) else {
        return nil
      }
      // PERF_RECORD_MISC_COMM_EXEC.
      self = .name(thread, name, isExec: record.misc & 1 << 13 != 0)
    case PerfRecord.Kind.fork, PerfRecord.Kind.exit:
      guard let processes = Self.thread(&cursor), let threads = Self.thread(&cursor) else {
        return nil
      }
      // pid and ppid, then tid and ptid.
      let child = ThreadIdentity(process: processes.process, thread: threads.process)
      let parent = ThreadIdentity(process: processes.thread, thread: threads.thread)
      self =
        record.kind == PerfRecord.Kind.exit
        ? .exit(child) : .fork(TaskFork(parent: parent, child: child, cloneFlags: nil))
    case PerfRecord.Kind.lost:
      guard cursor.take(8) != nil, let count = cursor.number(UInt64.self) else { return nil }
      self = .lost(count)
    case PerfRecord.Kind.lostSamples:
      // PERF_RECORD_MISC_LOST_SAMPLES_BPF: left out by a filter, not lost.
      guard record.misc & 1 << 15 == 0, let count = cursor.number(UInt64.self) else { return nil }
      self = .lostSamples(count)
    case PerfRecord.Kind.throttle:
      // The kernel stops an event for a while without counting what it would have seen.
      self = .lost(1)
    default: return nil
    }
  }

  /// `PATH_MAX`.
  private static let pathMax = 4096

  private static func thread(_ cursor: inout ByteCursor) -> ThreadIdentity? {
    guard let first = cursor.number(Int32.self), let second = cursor.number(Int32.self) else {
      return nil
    }
    return ThreadIdentity(process: first, thread: second)
  }

  private static func mapping(_ record: PerfRecord, _ cursor: inout ByteCursor) -> Mapping? {
    guard let thread = thread(&cursor), let start = cursor.number(UInt64.self),
      let length = cursor.number(UInt64.self), let offset = cursor.number(UInt64.self),
      // PERF_RECORD_MISC_CPUMODE_MASK: the kernel's own mappings have 1, and belong to process -1.
      thread.process >= 0, record.misc & 7 != 1
    else { return nil }
    var buildID: [UInt8] = []
    if record.kind == PerfRecord.Kind.mmap2 {
      guard let file = cursor.take(24), let protection = cursor.number(UInt32.self),
        cursor.take(4) != nil, protection & 4 != 0
      else { return nil }
      // PERF_RECORD_MISC_MMAP_BUILD_ID: one byte of size, three unused, up to 20 bytes.
      if record.misc & 1 << 14 != 0 {
        let size = min(Int(record.bytes[file.lowerBound]), 20)
        buildID = Array(record.bytes[file.lowerBound + 4..<file.lowerBound + 4 + size])
      }
    } else if record.misc & 1 << 13 != 0 {
      // PERF_RECORD_MISC_MMAP_DATA.
      return nil
    }
    guard var path = cursor.text(min(cursor.left, pathMax)) else { return nil }
    // kernel/events/core.c perf_event_mmap_event() has 16 bytes for the names of special areas.
    if path == Mapping.uprobesTrampolineName.prefix(15) { path = Mapping.uprobesTrampolineName }
    return Mapping(
      process: thread.process, start: start, length: length, fileOffset: offset, path: path,
      buildID: buildID)
  }
}

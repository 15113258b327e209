import ProbeEvents

/// The side-band records that hold more than a thread and a text.
enum SideBandRecord {
  private static let executable: UInt64 = 4

  /// A `PERF_RECORD_MMAP2`; nil when the mapping is not executable. `end` is the index of the
  /// trailer.
  static func mapping(_ record: Span<UInt64>, end: Int) -> Mapping? {
    // pid and tid, addr, len, pgoff, 24 bytes about the file, prot and flags, name.
    guard record[8] & executable != 0 else { return nil }
    var buildID: [UInt8] = []
    if PerfRecord.misc(record[0]) & PerfRecord.miscBuildID != 0 {
      // One byte of size, three unused, then up to 20 bytes.
      let size = min(Int(record[5] & 0xff), 20)
      for offset in 0..<size {
        buildID.append(
          UInt8(truncatingIfNeeded: PerfRecord.number(record, byte: 5 * 8 + 4 + offset, size: 1)))
      }
    }
    var path = PerfRecord.text(record, words: 9..<end)
    // kernel/events/core.c perf_event_mmap_event() has 16 bytes for the names of special areas.
    if path == Mapping.uprobesTrampolineName.prefix(15) { path = Mapping.uprobesTrampolineName }
    return Mapping(
      process: PerfRecord.thread(record[1]).process, start: record[2], length: record[3],
      fileOffset: record[4], path: path, buildID: buildID)
  }

  /// A `PERF_RECORD_FORK` or `_EXIT`: pid and ppid, tid and ptid, time.
  static func fork(_ record: Span<UInt64>) -> TaskFork {
    let processes = PerfRecord.thread(record[1])
    let threads = PerfRecord.thread(record[2])
    return TaskFork(
      parent: ThreadIdentity(process: processes.thread, thread: threads.thread),
      child: ThreadIdentity(process: processes.process, thread: threads.process), cloneFlags: nil)
  }
}

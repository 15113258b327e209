/// How often the handler of each uprobe event was called, in whatever process: the file
/// `uprobe_profile` of tracefs (`kernel/trace/trace_uprobe.c probes_profile_seq_show()`).
struct UprobeProfile {
  /// Calls by the event's name without its group.
  private let counts: [Substring: UInt64]

  /// Reads the file's text: a line is file, event and count, and the file may hold spaces.
  init(_ text: String) {
    var counts: [Substring: UInt64] = [:]
    for line in text.split(separator: "\n") {
      let fields = line.split(separator: " ")
      guard fields.count >= 3, let count = UInt64(fields[fields.count - 1]) else { continue }
      counts[fields[fields.count - 2]] = count
    }
    self.counts = counts
  }

  /// The profile as it is now; empty where it cannot be read.
  init(_ tracefs: borrowing Tracefs) {
    self.init((try? tracefs.text(of: "uprobe_profile")) ?? "")
  }

  /// The calls of an event `GROUP/NAME`; nil when it is not listed.
  subscript(event: String) -> UInt64? {
    counts[event.split(separator: "/").last ?? ""]
  }
}

/// What a tape can be exported to.
public enum ExportFormat: String, Sendable, Hashable, CaseIterable {
  /// The text of `perf script`: one sample for each hit, with its user stack, or else the
  /// probed calls that are open.
  case perfScript = "perf-script"
  /// Folded stacks, as flame-graph tools read them: `comm;outer;inner weight`.
  case folded
  /// Trace-event JSON, as chrome://tracing and Perfetto read it.
  case chrome
  /// Perfetto's own protobuf.
  case perfetto
  /// One JSON object for each hit, a line each.
  case json
}

/// What the numbers of folded stacks count.
public enum FoldedWeight: String, Sendable, Hashable, CaseIterable {
  /// Calls: each entry counts once, on the stack it is on top of.
  case calls
  /// Nanoseconds in a call itself, without probed calls inside it.
  case time
}

public import HandlerHost
public import ProbeEvents
public import TapeFormat

/// Replays tapes through foreign handlers, in this process: a handler that crashes takes the
/// process with it.
public enum ForeignReplay {
  /// Feeds an opened tape to a library's handler.
  public static func replay(
    _ reader: inout TapeReader, library: HandlerLibrary, name: String
  ) throws -> TapeConclusion {
    let handler = try handler(reader.header.kernel, reader.header.probes.count, library, name)
    return try TapeReplay.replay(&reader, handler, NoObserver())
  }

  /// Feeds an opened tape to a library's handler and tells `progress` each hit it gets to.
  public static func replay(
    _ reader: inout TapeReader, library: HandlerLibrary, name: String,
    progress: some ReplayProgress
  ) throws -> TapeConclusion {
    let handler = try handler(reader.header.kernel, reader.header.probes.count, library, name)
    return try TapeReplay.replay(&reader, handler, ProgressObserver(progress: progress))
  }

  /// Feeds an opened tape to a library's handler and hands every block to `visit`, with what was
  /// concluded about each of its hits.
  public static func annotate(
    _ reader: inout TapeReader, library: HandlerLibrary, name: String,
    visit: (HitColumns, [AnnotatedConclusion]) throws -> Void
  ) throws -> TapeConclusion {
    let handler = try handler(reader.header.kernel, reader.header.probes.count, library, name)
    return try TapeReplay.annotate(&reader, handler, visit)
  }

  private static func handler(
    _ kernel: KernelFacts, _ probes: Int, _ library: HandlerLibrary, _ name: String
  ) throws(HandlerLibraryError) -> ForeignHandler {
    ForeignHandler(
      name: name, session: try HandlerSession(library, kernel: kernel, probes: probes))
  }
}

/// Where a replay leaves the index of the hit it is at, for another process to read.
public protocol ReplayProgress: Sendable {
  /// The hit is about to be judged.
  func reached(hit: UInt64)
}

/// Passes each place on.
struct ProgressObserver<Progress: ReplayProgress>: ReplayObserver {
  let progress: Progress

  func concluded(hit: UInt64, depth: Int, _ conclusion: HitConclusion) {
    switch conclusion {
    case .signal: progress.reached(hit: hit)
    case .entry, .returned, .returnOfUnseenEntry, .unjudged, .diverged:
      progress.reached(hit: hit + 1)
    }
  }
}

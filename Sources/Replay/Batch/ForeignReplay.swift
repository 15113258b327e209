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

  /// Feeds an opened tape to a library's handler and tells `listener` each conclusion when it is
  /// made, so that those are known that came before a crash.
  public static func replay(
    _ reader: inout TapeReader, library: HandlerLibrary, name: String, listener: some ReplayListener
  ) throws -> TapeConclusion {
    let handler = try handler(reader.header.kernel, reader.header.probes.count, library, name)
    var replayer = Replayer(
      header: reader.header, handler: handler, observer: ListeningObserver(listener: listener))
    var columns = HitColumns()
    while true {
      switch try reader.next(into: &columns, selecting: [.judged, .times]) {
      case .block:
        replayer.feed(columns)
        listener.endedBlock()
      case .damage(let damage): replayer.stopJudging(damage.description)
      case .trailer(let trailer): return replayer.finish(trailer)
      case .end: return replayer.finish(nil)
      }
    }
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

/// Gets every conclusion of a replay as it is made.
public protocol ReplayListener: ReplayProgress {
  /// This was concluded.
  func concluded(_ conclusion: AnnotatedConclusion)
  /// All hits and side events of a block were judged.
  func endedBlock()
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

/// Passes each conclusion on, and each place.
struct ListeningObserver<Listener: ReplayListener>: ReplayObserver {
  let listener: Listener

  func concluded(hit: UInt64, depth: Int, _ conclusion: HitConclusion) {
    listener.concluded(AnnotatedConclusion(hit: hit, depth: depth, conclusion: conclusion))
    ProgressObserver(progress: listener).concluded(hit: hit, depth: depth, conclusion)
  }
}

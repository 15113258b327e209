import KernelModel
public import ProbeEvents
public import TapeFormat

/// Replays whole tapes.
public enum TapeReplay {
  /// Feeds the tape at a path to a handler, in one pass and constant memory.
  ///
  /// Throws when the file is no tape; damage further in makes the verdict unjudged instead.
  public static func replay(
    path: String, handler: HandlerChoice
  ) throws(TapeError) -> TapeConclusion {
    var reader = try TapeReader(path: path)
    return try replay(&reader, handler: handler)
  }

  /// Feeds an opened tape to a handler.
  public static func replay(
    _ reader: inout TapeReader, handler: HandlerChoice
  ) throws(TapeError) -> TapeConclusion {
    try replay(&reader, handler.handler(for: reader.header.kernel), NoObserver())
  }

  /// Feeds an opened tape to a handler and hands every block to `visit`, with what was concluded
  /// about each of its hits.
  public static func annotate(
    _ reader: inout TapeReader, handler: HandlerChoice,
    visit: (HitColumns, [AnnotatedConclusion]) throws -> Void
  ) throws -> TapeConclusion {
    try annotate(&reader, handler.handler(for: reader.header.kernel), visit)
  }

  static func replay(
    _ reader: inout TapeReader, _ handler: consuming some ProbeHandler & ~Copyable,
    _ observer: some ReplayObserver
  ) throws(TapeError) -> TapeConclusion {
    var replayer = Replayer(header: reader.header, handler: handler, observer: observer)
    var columns = HitColumns()
    let selected: TapeColumns = reader.header.wholeFrom == 0 ? .judged : [.judged, .times]
    while true {
      switch try reader.next(into: &columns, selecting: selected) {
      case .block: replayer.feed(columns)
      case .damage(let damage): replayer.stopJudging(damage.description)
      case .trailer(let trailer): return replayer.finish(trailer)
      case .end: return replayer.finish(nil)
      }
    }
  }

  static func annotate(
    _ reader: inout TapeReader, _ handler: consuming some ProbeHandler & ~Copyable,
    _ visit: (HitColumns, [AnnotatedConclusion]) throws -> Void
  ) throws -> TapeConclusion {
    var replayer = Replayer(
      header: reader.header, handler: handler, observer: CollectingObserver())
    var columns = HitColumns()
    while true {
      switch try reader.next(into: &columns, selecting: .all) {
      case .block:
        replayer.observer.collected.removeAll(keepingCapacity: true)
        replayer.feed(columns)
        try visit(columns, replayer.observer.collected)
      case .damage(let damage): replayer.stopJudging(damage.description)
      case .trailer(let trailer): return replayer.finish(trailer)
      case .end: return replayer.finish(nil)
      }
    }
  }
}

/// One conclusion with its place.
public struct AnnotatedConclusion: Sendable, Hashable {
  /// Index of the hit on the tape; for a signal, of the hit after it.
  public var hit: UInt64
  /// How many instances the task's handler holds afterwards.
  public var depth: Int
  /// What was concluded.
  public var conclusion: HitConclusion

  /// A conclusion with its place.
  public init(hit: UInt64, depth: Int, conclusion: HitConclusion) {
    self.hit = hit
    self.depth = depth
    self.conclusion = conclusion
  }
}

/// Keeps the conclusions of one block.
struct CollectingObserver: ReplayObserver {
  var collected: [AnnotatedConclusion] = []

  mutating func concluded(hit: UInt64, depth: Int, _ conclusion: HitConclusion) {
    collected.append(AnnotatedConclusion(hit: hit, depth: depth, conclusion: conclusion))
  }
}

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
    let header = reader.header
    var stepping = SteppingCheck(
      header: header, rules: handler.uprobeRules(for: header.kernel))
    var conclusion = try replay(
      &reader, handler.handler(for: header.kernel), NoObserver(), stepping: &stepping)
    stepping?.conclude(&conclusion)
    return conclusion
  }

  /// Feeds an opened tape to a handler and hands every block to `visit`, with what was concluded
  /// about each of its hits.
  public static func annotate(
    _ reader: inout TapeReader, handler: HandlerChoice,
    visit: (HitColumns, [AnnotatedConclusion]) throws -> Void
  ) throws -> TapeConclusion {
    let header = reader.header
    var stepping = SteppingCheck(
      header: header, rules: handler.uprobeRules(for: header.kernel))
    var conclusion = try annotate(
      &reader, handler.handler(for: header.kernel), stepping: &stepping, visit)
    stepping?.conclude(&conclusion)
    return conclusion
  }

  static func replay(
    _ reader: inout TapeReader, _ handler: consuming some ProbeHandler & ~Copyable,
    _ observer: some ReplayObserver
  ) throws(TapeError) -> TapeConclusion {
    var stepping: SteppingCheck?
    return try replay(&reader, handler, observer, stepping: &stepping)
  }

  private static func replay(
    _ reader: inout TapeReader, _ handler: consuming some ProbeHandler & ~Copyable,
    _ observer: some ReplayObserver, stepping: inout SteppingCheck?
  ) throws(TapeError) -> TapeConclusion {
    let limit = reader.header.kernel.evidenceLimit
    if let limit, case .order = limit {
      return try replayOrder(&reader, limit, handlerName: handler.name, observer)
    }
    var replayer = Replayer(header: reader.header, handler: handler, observer: observer)
    if let limit { replayer.stopJudging(limit.description) }
    var columns = HitColumns()
    var selected: TapeColumns = reader.header.wholeFrom == 0 ? .judged : [.judged, .times]
    if stepping != nil { selected.insert(.registers) }
    while true {
      let step = try reader.next(
        into: &columns, selecting: selected, marking: replayer.likelyTrampoline)
      switch step {
      case .block:
        replayer.feed(columns)
        stepping?.feed(columns)
      case .damage(let damage):
        replayer.stopJudging(damage.description)
        stepping?.stop()
      case .trailer(let trailer): return replayer.finish(trailer)
      case .end: return replayer.finish(nil)
      }
    }
  }

  static func annotate(
    _ reader: inout TapeReader, _ handler: consuming some ProbeHandler & ~Copyable,
    _ visit: (HitColumns, [AnnotatedConclusion]) throws -> Void
  ) throws -> TapeConclusion {
    var stepping: SteppingCheck?
    return try annotate(&reader, handler, stepping: &stepping, visit)
  }

  private static func annotate(
    _ reader: inout TapeReader, _ handler: consuming some ProbeHandler & ~Copyable,
    stepping: inout SteppingCheck?,
    _ visit: (HitColumns, [AnnotatedConclusion]) throws -> Void
  ) throws -> TapeConclusion {
    let limit = reader.header.kernel.evidenceLimit
    if let limit, case .order = limit {
      return try annotateOrder(&reader, limit, handlerName: handler.name, visit)
    }
    var replayer = Replayer(
      header: reader.header, handler: handler, observer: CollectingObserver())
    if let limit { replayer.stopJudging(limit.description) }
    var columns = HitColumns()
    while true {
      switch try reader.next(into: &columns, selecting: .all) {
      case .block:
        replayer.observer.collected.removeAll(keepingCapacity: true)
        replayer.feed(columns)
        stepping?.feed(columns)
        let found = stepping?.takeNew() ?? []
        try visit(columns, replayer.observer.collected.replacing(at: found))
      case .damage(let damage):
        replayer.stopJudging(damage.description)
        stepping?.stop()
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

extension [AnnotatedConclusion] {
  /// The conclusions, with divergences in the place of what was concluded about the same hits.
  fileprivate func replacing(at divergences: ArraySlice<Divergence>) -> Self {
    guard !divergences.isEmpty else { return self }
    let byHit = Dictionary(divergences.map { ($0.hit, $0) }) { first, _ in first }
    return map { annotated in
      guard let divergence = byHit[annotated.hit] else { return annotated }
      var annotated = annotated
      annotated.conclusion = .diverged(divergence)
      return annotated
    }
  }
}

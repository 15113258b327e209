import ProbeEvents
import TapeFormat

/// Replays of tapes that have the order of hits and little more, see ``EvidenceLimit/order(_:)``.
extension TapeReplay {
  static func replayOrder(
    _ reader: inout TapeReader, _ limit: EvidenceLimit, handlerName: String,
    _ observer: some ReplayObserver
  ) throws(TapeError) -> TapeConclusion {
    var replayer = OrderReplayer(
      header: reader.header, limit: limit, handlerName: handlerName, observer: observer)
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

  static func annotateOrder(
    _ reader: inout TapeReader, _ limit: EvidenceLimit, handlerName: String,
    _ visit: (HitColumns, [AnnotatedConclusion]) throws -> Void
  ) throws -> TapeConclusion {
    var replayer = OrderReplayer(
      header: reader.header, limit: limit, handlerName: handlerName,
      observer: CollectingObserver())
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

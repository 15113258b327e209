import KernelModel
public import ProbeEvents
public import TapeFormat

/// Judges hits block by block for those who have them from elsewhere than a whole tape, or want
/// to do something with each block.
public struct HitJudge: ~Copyable {
  private var replayer: Replayer<ModelHandler, CollectingObserver>

  /// Begins with the first block of a tape with this header.
  public init(header: TapeHeader, handler: HandlerChoice) {
    replayer = Replayer(
      header: header, handler: handler.handler(for: header.kernel), observer: CollectingObserver())
  }

  /// What the handler concluded about the hits of the next block, which must have its judged columns
  /// and times.
  public mutating func conclusions(about columns: HitColumns) -> [AnnotatedConclusion] {
    replayer.observer.collected.removeAll(keepingCapacity: true)
    replayer.feed(columns)
    return replayer.observer.collected
  }

  /// Hits are missing here, so that nothing can be said of those that follow.
  public mutating func noteDamage(_ damage: TapeDamage) {
    replayer.stopJudging(damage.description)
  }
}

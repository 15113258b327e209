import ProbeEvents
import Replay
import TapeFormat

/// A format: is told what happens on a tape, in order, and writes it. What it does not need, it
/// leaves to the empty defaults.
protocol ExportWriter {
  /// Before anything else.
  mutating func begin()
  /// A thread's name became known.
  mutating func name(_ thread: ThreadIdentity, _ name: String)
  /// A hit; `stack` are the open calls after it, oldest first.
  mutating func hit(_ hit: FollowedHit, _ columns: HitColumns, stack: [OpenCall])
  /// A call begins; it is the last of `stack`.
  mutating func enter(_ thread: ThreadIdentity, stack: [OpenCall])
  /// The last call of `stack` ends.
  mutating func leave(_ thread: ThreadIdentity, stack: [OpenCall], at time: UInt64, _ end: CallEnd)
  /// An entry whose end will never be known is on top of `stack`.
  mutating func touch(_ thread: ThreadIdentity, stack: [OpenCall], _ call: OpenCall)
  /// Something happened at one moment.
  mutating func mark(_ thread: ThreadIdentity, at time: UInt64, _ mark: CallMark)
  /// After everything else.
  mutating func end(_ conclusion: TapeConclusion)

  /// Where the bytes go.
  var buffer: ExportBuffer { get set }
}

extension ExportWriter {
  mutating func begin() {}
  mutating func name(_ thread: ThreadIdentity, _ name: String) {}
  mutating func hit(_ hit: FollowedHit, _ columns: HitColumns, stack: [OpenCall]) {}
  mutating func enter(_ thread: ThreadIdentity, stack: [OpenCall]) {}
  mutating func leave(
    _ thread: ThreadIdentity, stack: [OpenCall], at time: UInt64, _ end: CallEnd
  ) {}
  mutating func touch(_ thread: ThreadIdentity, stack: [OpenCall], _ call: OpenCall) {}
  mutating func mark(_ thread: ThreadIdentity, at time: UInt64, _ mark: CallMark) {}
  mutating func end(_ conclusion: TapeConclusion) {}
}

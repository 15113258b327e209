/// What ``TapeReader/next(into:selecting:)`` came to.
public enum TapeStep: Sendable, Hashable {
  /// A block: its hits and side events are in the columns.
  case block
  /// A part that could not be read; hits may be missing here. The columns are empty.
  case damage(TapeDamage)
  /// The trailer: the tape is complete (apart from damage reported before).
  case trailer(TapeTrailer)
  /// The end. When no trailer came before, the recording was cut off.
  case end
}

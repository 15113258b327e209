/// What one round over all rings brought.
struct Round: Sendable {
  /// The records of each ring, in ring order, as whole words.
  var chunks: [[UInt64]]
  /// CLOCK_MONOTONIC before the first ring was read.
  var start: UInt64
  /// Whether it is the last: everything was disabled before it, and it emptied the rings.
  var isLast: Bool

  /// Bytes of all chunks.
  var byteCount: Int { chunks.reduce(0) { $0 + $1.count } * 8 }
}

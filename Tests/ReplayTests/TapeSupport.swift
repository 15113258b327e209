import ProbetapeTesting
import Replay
import TapeFormat

/// Replays a tape that is in memory.
func replay(
  _ bytes: [UInt8], handler: HandlerChoice = .modelOfTape
) throws -> TapeConclusion {
  var reader = try TapeReader(bytes: bytes)
  return try TapeReplay.replay(&reader, handler: handler)
}

/// The kinds of a conclusion's divergences.
func kinds(_ conclusion: TapeConclusion) -> [DivergenceClass] {
  conclusion.divergences.map(\.kind)
}

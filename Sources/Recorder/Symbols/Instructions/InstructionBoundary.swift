import ProbeEvents

/// Whether a distance into a function is where an instruction begins, by decoding from its start.
enum InstructionBoundary: Equatable {
  /// An instruction begins there.
  case begins
  /// It is inside the instruction between these distances.
  case inside(before: UInt64, after: UInt64)
  /// The bytes at this distance, on the way or at the place itself, are no known instruction.
  case undecodable(at: UInt64)

  /// Decodes `code`, which starts at `address` and reaches past `distance`, up to `distance`.
  static func check(
    _ code: [UInt8], address: UInt64, distance: UInt64, decoder: borrowing CodeDecoder
  ) -> InstructionBoundary {
    var at = 0
    if let size = decoder.fixedSize, let target = Int(exactly: distance) {
      // What comes before need not be decoded, and may be data.
      let before = distance - distance % UInt64(size)
      guard before == distance else { return .inside(before: before, after: before + UInt64(size)) }
      at = target
    }
    while UInt64(at) <= distance {
      // An address may be anything in a hostile file; it only matters for printing.
      let here = address &+ UInt64(at)
      guard let decoded = decoder.decode(code, at: at, address: here), decoded.size > 0 else {
        return .undecodable(at: UInt64(at))
      }
      if UInt64(at) == distance { return .begins }
      let next = at + decoded.size
      if UInt64(next) > distance { return .inside(before: UInt64(at), after: UInt64(next)) }
      at = next
    }
    return .begins
  }
}

/// A running 64-bit hash of everything a replay concluded: same tape, same handler, same digest on
/// every machine. Not cryptographic; it detects change, not malice.
struct Digest: Sendable, Hashable {
  private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

  /// Mixes one value in. Order matters.
  @inline(__always)
  mutating func add(_ value: UInt64) {
    // A multiply-rotate round: wrap-around is the arithmetic of the hash.
    let mixed = (state ^ value) &* 0xFF51_AFD7_ED55_8CCD
    state = (mixed << 29 | mixed >> 35) &+ 0x2545_F491_4F6C_DD1D
  }

  /// Mixes a text in, byte by byte, with its length.
  mutating func add(_ text: String) {
    add(UInt64(text.utf8.count))
    for byte in text.utf8 { add(UInt64(byte)) }
  }

  /// 16 hexadecimal digits.
  var text: String {
    var final = state
    final ^= final >> 33
    final = final &* 0xC4CE_B9FE_1A85_EC53
    final ^= final >> 29
    let digits = String(final, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

/// A running 64-bit hash of everything a replay concluded: same tape, same handler, same digest on
/// every machine. Not cryptographic; it detects change, not malice.
struct Digest: Sendable, Hashable {
  /// What the last round's product was. The rest of a round is done when the next begins: where
  /// both are at hand, the compiler makes two products of product and rotation.
  private var product: UInt64
  private static var start: UInt64 { 0x9E37_79B9_7F4A_7C15 }
  private static var step: UInt64 { 0x2545_F491_4F6C_DD1D }

  init() {
    let rotated = Self.start &- Self.step
    product = rotated >> 29 | rotated << 35
  }

  private var state: UInt64 {
    // A multiply-rotate round: wrap-around is the arithmetic of the hash.
    @inline(__always) get { (product << 29 | product >> 35) &+ Self.step }
  }

  /// Mixes one value in. Order matters.
  @inline(__always)
  mutating func add(_ value: UInt64) {
    product = (state ^ value) &* 0xFF51_AFD7_ED55_8CCD
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

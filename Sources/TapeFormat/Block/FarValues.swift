/// The coding of values that no other prediction gives: repeats of recent ones by their age, and
/// new ones as one of the recent regions of 65,536 addresses with 16 low bits. Both sides start each
/// block with nothing but zeros and keep the same state. This is the decoder's; see ``FarEncoder``.
struct FarValues {
  /// Codes from here on name a recent value by age, youngest first.
  static let recentCode: UInt8 = 64
  static let recentCount = 32
  /// Codes from here on name a region.
  static let regionCode: UInt8 = 128
  static let regionCount = 32
  /// A value in a region that is not in the table.
  static let newRegionCode: UInt8 = 160

  /// What is stored beside the codes, while it is being read.
  struct Cursors {
    var regions: Cursor
    var low: Cursor
    var high: Cursor

    func finish() throws(TapeDamage.Reason) {
      try regions.finish()
      try low.finish()
      try high.finish()
    }
  }

  private var recent: InlineArray<32, UInt64> = InlineArray(repeating: 0)
  private var nextRecent = 0
  /// Region 0 stays 0, for small numbers.
  private var regions: InlineArray<32, UInt64> = InlineArray(repeating: 0)
  private var nextRegion = 1
  private var latestRegion: UInt64 = 0

  @inline(__always)
  private mutating func remember(_ value: UInt64) {
    recent[nextRecent] = value
    nextRecent = (nextRecent &+ 1) & 31
  }

  @inline(never)
  private mutating func add(region: UInt64) {
    regions[nextRegion] = region
    nextRegion = nextRegion == 31 ? 1 : nextRegion + 1
    latestRegion = region
  }

  /// The value of a code, which must be one of those above.
  @inline(__always)
  mutating func decode(
    _ code: UInt8, _ content: Span<UInt8>, _ cursors: inout Cursors
  ) throws(TapeDamage.Reason) -> UInt64 {
    if code < Self.recentCode { throw .valueOutOfRange }
    if code < Self.recentCode + 32 {
      return recent[(nextRecent &- 1 &- Int(code &- Self.recentCode)) & 31]
    }
    let region: UInt64
    if code >= Self.regionCode && code < Self.newRegionCode {
      region = regions[Int(code &- Self.regionCode)]
    } else if code == Self.newRegionCode {
      region = latestRegion &+ Zigzag.decode(try cursors.regions.varint(content))
      guard region >> 48 == 0 else { throw .valueOutOfRange }
      add(region: region)
    } else {
      throw .valueOutOfRange
    }
    let bits = UInt64(try cursors.low.byte(content)) | UInt64(try cursors.high.byte(content)) << 8
    let value = region << 16 | bits
    remember(value)
    return value
  }
}

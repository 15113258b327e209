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
    private var regions: Cursor
    /// A value has a low byte and a high byte, as far behind it as the first high byte lies behind
    /// the first low byte.
    private var low: Cursor
    private let highDistance: Int
    /// How many high bytes there are more than low bytes.
    private let extraHigh: Int

    init(regions: Cursor, low: Cursor, high: Cursor) {
      self.regions = regions
      // A low byte without a high byte is never read.
      self.low = Cursor(
        offset: low.offset, end: low.offset + min(low.remaining, high.remaining))
      highDistance = high.offset - low.offset
      extraHigh = high.remaining - low.remaining
    }

    fileprivate mutating func region(
      _ content: Span<UInt8>, after latest: UInt64
    ) throws(TapeDamage.Reason) -> UInt64 {
      let region = latest &+ Zigzag.decode(try regions.varint(content))
      guard region >> 48 == 0 else { throw .valueOutOfRange }
      return region
    }

    /// How many values are left that have both their bytes.
    var remaining: Int { @inline(__always) get { low.remaining } }

    /// The low 16 bits of the next value, of which the caller knows that it is there.
    @inline(__always)
    @unsafe fileprivate func lowBits(unchecked content: Span<UInt8>) -> UInt64 {
      // The stream of the high bytes is at least as long, and lies within the content.
      let above = unsafe UInt64(content[unchecked: low.offset &+ highDistance])
      return unsafe above << 8 | UInt64(content[unchecked: low.offset])
    }

    /// Goes past so many values, which are there.
    @inline(__always)
    fileprivate mutating func skip(_ values: Int) { low.offset &+= values }

    func finish() throws(TapeDamage.Reason) {
      try regions.finish()
      try low.finish()
      guard extraHigh == 0 else { throw .streamTooLong }
    }
  }

  private var recent: InlineArray<32, UInt64> = InlineArray(repeating: 0)
  private var nextRecent = 0
  /// Region 0 stays 0, for small numbers.
  private var regions: InlineArray<32, UInt64> = InlineArray(repeating: 0)
  private var nextRegion = 1
  private var latestRegion: UInt64 = 0

  private mutating func add(region: UInt64) {
    regions[nextRegion] = region
    nextRegion = nextRegion == 31 ? 1 : nextRegion + 1
    latestRegion = region
  }

  /// The value of a code, which must be one of those above; the caller knows that one more value is
  /// there, whether or not the code needs it.
  ///
  /// Whether a value is a recent one or has a region is as good as random, so it is not branched on:
  /// both are made, one is taken.
  @inline(__always)
  @unsafe mutating func decode(
    unchecked code: UInt8, _ content: Span<UInt8>, _ cursors: inout Cursors
  ) throws(TapeDamage.Reason) -> UInt64 {
    guard Self.isRecentOrHasRegion(code) else {
      return try unsafe decodeInNewRegion(code, content, &cursors)
    }
    // The highest bit tells one from the other.
    let isMade = Int(truncatingIfNeeded: code >> 7)
    let made = unsafe regions[Int(code & 31)] << 16 | cursors.lowBits(unchecked: content)
    cursors.skip(isMade)
    let known = recent(code)
    let ifMade = UInt64(truncatingIfNeeded: 0 &- isMade)
    let oldest = recent[nextRecent & 31]
    recent[nextRecent & 31] = oldest ^ (oldest ^ made) & ifMade
    nextRecent &+= isMade
    return known ^ (known ^ made) & ifMade
  }

  @inline(never)
  @unsafe private mutating func decodeInNewRegion(
    _ code: UInt8, _ content: Span<UInt8>, _ cursors: inout Cursors
  ) throws(TapeDamage.Reason) -> UInt64 {
    guard code == Self.newRegionCode else { throw .valueOutOfRange }
    let region = try cursors.region(content, after: latestRegion)
    add(region: region)
    // The caller knows that it is there.
    let value = unsafe region << 16 | cursors.lowBits(unchecked: content)
    cursors.skip(1)
    recent[nextRecent & 31] = value
    nextRecent &+= 1
    return value
  }

  /// The value of a code, which must be one of those above.
  mutating func decode(
    _ code: UInt8, _ content: Span<UInt8>, _ cursors: inout Cursors
  ) throws(TapeDamage.Reason) -> UInt64 {
    if code < Self.regionCode {
      guard Self.isRecentOrHasRegion(code) else { throw .valueOutOfRange }
      return recent(code)
    }
    guard code <= Self.newRegionCode else { throw .valueOutOfRange }
    guard cursors.remaining > 0 else { throw .streamTooShort }
    // As was just made sure.
    return try unsafe decode(unchecked: code, content, &cursors)
  }

  @inline(__always)
  private func recent(_ code: UInt8) -> UInt64 {
    recent[(nextRecent &- 1 &- Int(code & 31)) & 31]
  }

  @inline(__always)
  private static func isRecentOrHasRegion(_ code: UInt8) -> Bool {
    // The codes of each are a run of 32, so that these are bits by run.
    let runs: UInt8 = 1 << (recentCode >> 5) | 1 << (regionCode >> 5)
    return runs &>> (code >> 5) & 1 != 0
  }
}

/// The encoder's side of ``FarValues``: it searches what the decoder looks up, so its state lies in
/// memory of its own, and its streams are part of it.
struct FarEncoder: ~Copyable {
  private var regionBytes = ByteSink()
  private var lowBytes = ByteSink()
  private var highBytes = ByteSink()

  private let recentMemory = TableMemory<UInt64>(count: 2 * FarValues.recentCount, repeating: 0)
  private let regionMemory = TableMemory<UInt64>(count: FarValues.regionCount, repeating: 0)
  /// The recent values as a ring that lies there twice, so that any 32 in a row are all of them.
  private let recent: Table<UInt64>
  /// Region 0 stays 0, for small numbers.
  private let regions: Table<UInt64>
  private var nextRecent = 0
  private var nextRegion = 1
  private var latestRegion: UInt64 = 0

  init() {
    recent = recentMemory.table
    regions = regionMemory.table
  }

  /// Notes a value's region and low bits, where it needs them, and returns its code.
  mutating func encode(_ value: UInt64) -> UInt8 {
    let newest = nextRecent &+ FarValues.recentCount &- 1
    for age in 0..<FarValues.recentCount {
      // `newest` is at most 62 and at least 31, and the age at most 31.
      if unsafe recent[unchecked: newest &- age] == value {
        return FarValues.recentCode &+ UInt8(truncatingIfNeeded: age)
      }
    }
    lowBytes.append(UInt8(truncatingIfNeeded: value))
    highBytes.append(UInt8(truncatingIfNeeded: value >> 8))
    recent[nextRecent] = value
    recent[nextRecent + FarValues.recentCount] = value
    nextRecent = (nextRecent + 1) & (FarValues.recentCount - 1)
    let region = value >> 16
    for index in 0..<FarValues.regionCount {
      // The index is below the table's count.
      if unsafe regions[unchecked: index] == region {
        return FarValues.regionCode &+ UInt8(truncatingIfNeeded: index)
      }
    }
    regionBytes.appendVarint(Zigzag.encode(region &- latestRegion))
    regions[nextRegion] = region
    nextRegion = nextRegion == FarValues.regionCount - 1 ? 1 : nextRegion + 1
    latestRegion = region
    return FarValues.newRegionCode
  }

  /// The streams so far.
  var streams: (regions: [UInt8], low: [UInt8], high: [UInt8]) {
    (regionBytes.bytes, lowBytes.bytes, highBytes.bytes)
  }
}

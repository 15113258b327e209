/// The encoder's side of ``FarValues``: it searches what the decoder looks up, so its state lies in
/// memory of its own, and its streams are part of it.
struct FarEncoder: ~Copyable {
  private var regionBytes = ByteSink()
  private var lowBytes = ByteSink()
  private var highBytes = ByteSink()

  /// Slots of the filter: few enough to stay at hand, enough to seldom hold two values.
  private static let filterBits: UInt64 = 10

  private let filterMemory = TableMemory<UInt8>(count: 1 << filterBits, repeating: 0)
  private let recentMemory = TableMemory<UInt64>(count: 2 * FarValues.recentCount, repeating: 0)
  private let regionFilterMemory = TableMemory<UInt8>(count: 1 << filterBits, repeating: 0)
  private let regionMemory = TableMemory<UInt64>(count: FarValues.regionCount, repeating: 0)
  /// The recent values as a ring that lies there twice, so that any 32 in a row are all of them.
  private let recent: Table<UInt64>
  /// Region 0 stays 0, for small numbers.
  private let regions: Table<UInt64>
  /// How many recent values fall into each slot: where none does, none is looked for.
  private let filter: Table<UInt8>
  /// The same for regions.
  private let regionFilter: Table<UInt8>
  private var nextRecent = 0
  /// Where the region found last is, which is where the next is likely to be.
  private var region = 0
  private var nextRegion = 1
  private var latestRegion: UInt64 = 0

  init() {
    recent = recentMemory.table
    regions = regionMemory.table
    filter = filterMemory.table
    filter[Self.slot(0)] = UInt8(FarValues.recentCount)
    regionFilter = regionFilterMemory.table
    regionFilter[Self.slot(0)] = UInt8(FarValues.regionCount)
  }

  /// Notes a value's region and low bits, where it needs them, and returns its code.
  mutating func encode(_ value: UInt64) -> UInt8 {
    // A slot is below the filter's count, which is a power of two.
    if unsafe filter[unchecked: Self.slot(value)] != 0, let code = recentCode(of: value) {
      return code
    }
    lowBytes.append(UInt8(truncatingIfNeeded: value))
    highBytes.append(UInt8(truncatingIfNeeded: value >> 8))
    remember(value)
    let wanted = value >> 16
    if regions[region] == wanted {
      return FarValues.regionCode &+ UInt8(truncatingIfNeeded: region)
    }
    // A slot is below the filter's count.
    if unsafe regionFilter[unchecked: Self.slot(wanted)] != 0,
      let index = regions.firstIndex(of: wanted, below: FarValues.regionCount)
    {
      region = index
      return FarValues.regionCode &+ UInt8(truncatingIfNeeded: index)
    }
    add(region: wanted)
    return FarValues.newRegionCode
  }

  private mutating func add(region wanted: UInt64) {
    regionBytes.appendVarint(Zigzag.encode(wanted &- latestRegion))
    regionFilter[Self.slot(regions[nextRegion])] -= 1
    regionFilter[Self.slot(wanted)] += 1
    regions[nextRegion] = wanted
    nextRegion = nextRegion == FarValues.regionCount - 1 ? 1 : nextRegion + 1
    latestRegion = wanted
  }

  @inline(__always)
  private static func slot(_ value: UInt64) -> Int {
    Int(truncatingIfNeeded: (value &* CallContext.multiplier) >> (64 - filterBits))
  }

  /// The code of a recent value, by its age.
  private func recentCode(of value: UInt64) -> UInt8? {
    let newest = nextRecent &+ FarValues.recentCount &- 1
    for age in 0..<FarValues.recentCount {
      // `newest` is at most 62 and at least 31, and the age at most 31.
      if unsafe recent[unchecked: newest &- age] == value {
        return FarValues.recentCode &+ UInt8(truncatingIfNeeded: age)
      }
    }
    return nil
  }

  private mutating func remember(_ value: UInt64) {
    filter[Self.slot(recent[nextRecent])] -= 1
    filter[Self.slot(value)] += 1
    recent[nextRecent] = value
    recent[nextRecent + FarValues.recentCount] = value
    nextRecent = (nextRecent + 1) & (FarValues.recentCount - 1)
  }

  /// The streams so far.
  var streams: (regions: [UInt8], low: [UInt8], high: [UInt8]) {
    (regionBytes.bytes, lowBytes.bytes, highBytes.bytes)
  }
}

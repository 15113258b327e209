import ProbeEvents

/// The places in the code of one address space that frames were seen at.
struct FramePlaces {
  /// Places remembered from one walk to the next; beyond that, all are forgotten at once. About 100
  /// bytes each.
  private let limit: Int

  /// Address and exactness plus one; 0 where nothing is.
  private var keys: [UInt64] = []
  private var numbers: [UInt32] = []
  private var places: [FramePlace] = []
  private(set) var saves: [FrameRule.Save] = []

  /// None yet.
  init(limit: Int) { self.limit = limit }

  /// How many are remembered.
  var count: Int { places.count }

  /// What a frame is remembered under; nil for addresses that no program of any of our architectures
  /// runs at.
  @inline(__always)
  static func key(_ address: Address, isExact: Bool) -> UInt64? {
    address >> 62 == 0 ? (address << 1 | (isExact ? 1 : 0)) &+ 1 : nil
  }

  /// The place of a key; nil when there is none.
  @inline(__always)
  func find(_ key: UInt64) -> FramePlace? {
    guard !keys.isEmpty else { return nil }
    let mask = keys.count - 1
    var slot = Self.slot(key, mask)
    // At most half is taken, so this comes to an end.
    while keys[slot] != key {
      if keys[slot] == 0 { return nil }
      slot = (slot &+ 1) & mask
    }
    return places[Int(numbers[slot])]
  }

  /// Adds a place that is not known, with its saves.
  mutating func insert(
    _ key: UInt64, _ kind: FramePlace.Kind, isSignal: Bool, _ rule: FrameRule,
    _ saves: [FrameRule.Save]
  ) -> FramePlace {
    if (places.count + 1) * 2 > keys.count { grow() }
    let first = Int32(self.saves.count)
    self.saves += saves
    let place = FramePlace(
      kind: kind, isSignal: isSignal, rule: rule, firstSave: first,
      endOfSaves: Int32(self.saves.count))
    take(key, UInt32(places.count))
    places.append(place)
    return place
  }

  private mutating func take(_ key: UInt64, _ number: UInt32) {
    let mask = keys.count - 1
    var slot = Self.slot(key, mask)
    while keys[slot] != 0 { slot = (slot &+ 1) & mask }
    keys[slot] = key
    numbers[slot] = number
  }

  private mutating func grow() {
    let oldKeys = keys
    let oldNumbers = numbers
    keys = [UInt64](repeating: 0, count: max(256, oldKeys.count * 2))
    numbers = [UInt32](repeating: 0, count: keys.count)
    for slot in oldKeys.indices where oldKeys[slot] != 0 { take(oldKeys[slot], oldNumbers[slot]) }
  }

  /// Forgets all when there are many. Only between walks: a walk goes by the saves of the place that
  /// it is at when it has already looked at the next.
  mutating func beginAnewIfLarge() {
    guard places.count >= limit else { return }
    keys = []
    numbers = []
    places = []
    saves = []
  }

  @inline(__always)
  private static func slot(_ key: UInt64, _ mask: Int) -> Int {
    Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
  }
}

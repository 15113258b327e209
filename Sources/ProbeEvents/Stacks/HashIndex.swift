/// Finds numbered things by their hash, without keeping them: whoever asks compares.
///
/// Things that meet too many others are not found again, so that made-up hashes cost memory and not
/// time. That fits what is only kept to save work.
package struct HashIndex: Sendable {
  /// Places looked at before a search gives up.
  private static let reach = 32

  /// Number plus one in each place; 0 where nothing is.
  private var places: [UInt32]
  private var mask: Int
  private var count = 0

  /// An empty index.
  package init() {
    places = []
    mask = 0
  }

  /// Forgets everything.
  package mutating func removeAll() {
    guard count > 0 else { return }
    for place in places.indices { places[place] = 0 }
    count = 0
  }

  /// The number of the thing with a hash that `matches` says it is; nil when there is none.
  @inline(__always)
  package func find(_ hash: UInt64, _ matches: (UInt32) -> Bool) -> UInt32? {
    guard !places.isEmpty else { return nil }
    var place = Int(truncatingIfNeeded: hash >> 20) & mask
    for _ in 0..<Self.reach {
      let number = places[place]
      if number == 0 { return nil }
      if matches(number &- 1) { return number &- 1 }
      place = (place &+ 1) & mask
    }
    return nil
  }

  /// Adds a number under a hash; `hashOf` says that of each number added before.
  package mutating func insert(
    _ number: UInt32, _ hash: UInt64, hashOf: (UInt32) -> UInt64
  ) {
    if count * 2 >= places.count { grow(hashOf) }
    place(number, hash)
    count += 1
  }

  private mutating func place(_ number: UInt32, _ hash: UInt64) {
    var place = Int(truncatingIfNeeded: hash >> 20) & mask
    for _ in 0..<Self.reach where places[place] != 0 { place = (place &+ 1) & mask }
    if places[place] == 0 { places[place] = number &+ 1 }
  }

  private mutating func grow(_ hashOf: (UInt32) -> UInt64) {
    let old = places
    places = Array(repeating: 0, count: max(1024, old.count * 2))
    mask = places.count - 1
    for number in old where number != 0 { place(number &- 1, hashOf(number &- 1)) }
  }

  /// Mixes a value into a hash.
  @inline(__always)
  package static func mix(_ hash: UInt64, _ value: UInt64) -> UInt64 {
    let product = (hash ^ value) &* 0x9E37_79B9_7F4A_7C15
    return product ^ (product >> 29)
  }
}

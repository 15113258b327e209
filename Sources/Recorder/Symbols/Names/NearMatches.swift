/// Which of many names a mistyped one may have meant.
struct NearMatches {
  private let wanted: [UInt8]
  private let tolerance: Int
  private var found: [(distance: Int, name: String)] = []

  /// A search for names close to `name`: one change in three characters, five at most.
  init(to name: String) {
    wanted = Self.folded(name)
    tolerance = min(5, max(1, wanted.count / 3))
  }

  /// Considers one name; `shown` is what the user will read.
  mutating func consider(_ name: String, shown: String) {
    // The longest name considered bounds the work of one comparison.
    guard name.utf8.count <= 256, wanted.count <= 256 else { return }
    let other = Self.folded(name)
    guard abs(other.count - wanted.count) <= tolerance else { return }
    let distance = Self.distance(wanted, other, limit: tolerance)
    guard distance <= tolerance else { return }
    found.append((distance, shown))
  }

  /// The closest names, nearest first, at most five.
  var names: [String] {
    var seen: Set<String> = []
    return found.sorted { ($0.distance, $0.name) < ($1.distance, $1.name) }
      .map(\.name).filter { seen.insert($0).inserted }.prefix(5).map { $0 }
  }

  /// Lower case and without leading underscores: the commonest slips cost nothing.
  private static func folded(_ name: String) -> [UInt8] {
    let bytes = name.utf8.drop { $0 == 0x5f }
    return bytes.map { (0x41...0x5a).contains($0) ? $0 | 0x20 : $0 }
  }

  /// The changes between two words: a byte put in, left out or replaced, or two neighbours swapped;
  /// any value above `limit` once the limit is passed.
  private static func distance(_ left: [UInt8], _ right: [UInt8], limit: Int) -> Int {
    var older: [Int] = []
    var old = Array(0...right.count)
    for (index, byte) in left.enumerated() {
      var row = [index + 1]
      row.reserveCapacity(right.count + 1)
      for column in right.indices {
        var best = min(old[column + 1], row[column]) + 1
        best = min(best, old[column] + (byte == right[column] ? 0 : 1))
        if index > 0, column > 0, byte == right[column - 1], left[index - 1] == right[column] {
          best = min(best, older[column - 1] + 1)
        }
        row.append(best)
      }
      guard row.contains(where: { $0 <= limit }) else { return limit + 1 }
      older = old
      old = row
    }
    return old[right.count]
  }
}

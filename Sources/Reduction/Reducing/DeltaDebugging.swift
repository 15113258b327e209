/// Delta debugging: the smallest set of units, in the sense that no single one can be left out, for
/// which a test still passes.
///
/// The algorithm is ddmin by Zeller and Hildebrandt, in the form that only tries complements: parts
/// of the set are left out, in turn and in order, and halved when none can be.
struct DeltaDebugging {
  /// Tests candidates, each a set of units to keep, and returns the first that passes, if any.
  typealias Test = ([[Int]]) throws -> Int?

  /// How many candidates are tested at a time at most. The result does not depend on it, as always
  /// the first that passes is taken.
  let batch: Int

  /// Leaves out units as long as the test passes. The whole set is taken to pass.
  func minimize(_ units: [Int], _ test: Test) throws -> [Int] {
    guard !units.isEmpty else { return [] }
    if try test([[]]) != nil { return [] }
    var units = units
    var parts = min(2, units.count)
    var start = 0
    while units.count > 1 {
      let chunks = Self.chunks(units.count, parts)
      // After a success, the search goes on behind what was left out, and comes round.
      let order = chunks.indices.map { ($0 + start) % chunks.count }
      if let passed = try first(units, chunks, order, test) {
        let range = chunks[passed]
        units.removeSubrange(range)
        parts = max(min(parts - 1, units.count), min(2, units.count))
        start = passed
        continue
      }
      if parts == units.count { break }
      parts = min(units.count, parts * 2)
      start = 0
    }
    return units
  }

  /// The first chunk, in the given order, without which the test passes.
  private func first(
    _ units: [Int], _ chunks: [Range<Int>], _ order: [Int], _ test: Test
  ) throws -> Int? {
    var next = 0
    while next < order.count {
      let tried = order[next..<min(next + batch, order.count)]
      let candidates = tried.map { chunk in
        Array(units[..<chunks[chunk].lowerBound] + units[chunks[chunk].upperBound...])
      }
      if let passed = try test(candidates) { return tried[tried.startIndex + passed] }
      next += batch
    }
    return nil
  }

  /// Splits a count into nearly equal ranges.
  private static func chunks(_ count: Int, _ parts: Int) -> [Range<Int>] {
    (0..<parts).map { part in count * part / parts..<count * (part + 1) / parts }
  }
}

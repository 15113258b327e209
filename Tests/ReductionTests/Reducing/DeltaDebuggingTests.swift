import Testing

@testable import Reduction

/// The search by itself, on sets of numbers.
@Suite struct DeltaDebuggingTests {
  /// Minimizes 0..<count and counts the candidates.
  private func minimize(
    _ count: Int, batch: Int = 1, passes: ([Int]) -> Bool
  ) throws -> [Int] {
    try DeltaDebugging(batch: batch).minimize(Array(0..<count)) { candidates in
      candidates.firstIndex(where: passes)
    }
  }

  @Test(arguments: [[0], [99], [50, 51], [3, 40, 41, 97], Array(0..<100)])
  func `exactly what is needed remains`(needed: [Int]) throws {
    let found = try minimize(100) { kept in needed.allSatisfy(kept.contains) }
    #expect(found == needed)
  }

  @Test func `nothing remains where nothing is needed`() throws {
    #expect(try minimize(10) { _ in true } == [])
    #expect(try minimize(0) { _ in true } == [])
  }

  @Test func `everything remains where each is needed`() throws {
    #expect(try minimize(7) { $0.count == 7 } == Array(0..<7))
  }

  @Test(arguments: 1...40)
  func `no single one can be left out, whatever the test, and the batch changes nothing`(
    seed: Int
  ) throws {
    // Passes for sets that have enough of some scattered units, so that there are many minima.
    func passes(_ kept: [Int]) -> Bool {
      let weight = kept.reduce(0) { $0 + ($1 * 7919 + seed * 104_729) % 13 }
      return weight >= 40 && kept.contains { ($0 + seed) % 11 == 0 }
    }
    let found = try minimize(60, passes: passes)
    #expect(passes(found))
    for place in found.indices {
      var less = found
      less.remove(at: place)
      #expect(!passes(less))
    }
    for batch in [2, 4, 16] { #expect(try minimize(60, batch: batch, passes: passes) == found) }
  }
}

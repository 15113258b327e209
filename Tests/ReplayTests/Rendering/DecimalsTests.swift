import Foundation
import ProbetapeTesting
import Testing

@testable import Replay

@Suite("numbers with a fixed number of decimals")
struct DecimalsTests {
  @Test("they are printed as the C library does", arguments: [0, 1, 2, 6])
  func likeC(places: Int) {
    var generator = SeededGenerator(seed: UInt64(places))
    for _ in 0..<500 {
      // Exact in binary and not half way, so that there is one right way to round.
      let value = Double(generator.next() >> 40) + Double(1 + 2 * (generator.next() >> 58)) / 4096
      #expect(Decimals.text(value, places) == String(format: "%.\(places)f", value))
    }
    #expect(Decimals.text(0, places) == String(format: "%.\(places)f", 0.0))
  }

  @Test("units of the last decimal have a digit in front of the point")
  func units() {
    #expect(Decimals.text(units: 7, 3) == "0.007")
    #expect(Decimals.text(units: 1234, 3) == "1.234")
    #expect(Decimals.text(units: 1234, 0) == "1234")
    #expect(Decimals.text(1e300, 1) == "1844674407370955161.5")
  }
}

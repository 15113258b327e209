import Testing

@testable import TapeFormat

@Suite struct ChecksumTests {
  /// The vectors of RFC 3720, appendix B.4, and the check value of the catalogue of CRCs.
  @Test func publishedVectorsHold() {
    let vectors: [(bytes: [UInt8], expected: UInt32)] = [
      ([UInt8](repeating: 0, count: 32), 0x8A91_36AA),
      ([UInt8](repeating: 0xFF, count: 32), 0x62A8_AB43),
      (Array(0..<32), 0x46DD_794E),
      (Array((0..<32).reversed()), 0x113F_DB5C),
      (Array("123456789".utf8), 0xE306_9283),
    ]
    for vector in vectors {
      #expect(Checksum.crc32c(vector.bytes, 0..<vector.bytes.count) == vector.expected)
    }
  }
}

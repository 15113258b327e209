/// How long the demangled form of a name may get, estimated without demangling it.
///
/// A mangled name may refer back to its own parts (`S1_`, `T_`) and repeat them for each argument of
/// a pack (`Dp`), so 200 bytes can stand for gigabytes, and the C++ runtime would write them all.
/// The estimate is high: each reference counts as all that was there before its first use. Of 360,000
/// names in Swift's own tools, two in a thousand are estimated over the limit; such a name is known
/// in its mangled form only.
enum DemanglingCost {
  /// The estimate above which a name is not demangled.
  static let limit = 1 << 22

  /// Bytes that one letter of a mangled name stands for, about.
  private static let bytesPerLetter = 4

  /// The estimated length in bytes; `Int.max` where it does not fit.
  static func estimate(_ name: [UInt8]) -> Int {
    var length = 0
    var letters = 0
    var expansions = 0
    var firstUses: [ArraySlice<UInt8>: Int] = [:]
    var index = 0
    while index < name.count {
      let added: Int
      let next: Int
      if let (end, size) = sourceName(name, at: index) {
        (added, next) = (size, end)
      } else if let end = reference(name, at: index) {
        let key = name[index..<end]
        let part = firstUses[key] ?? length
        firstUses[key] = part
        (added, next) = (part, end)
      } else {
        if name[index...].starts(with: Array("Dp".utf8))
          || name[index...].starts(with: Array("sp".utf8))
        {
          expansions += 1
        }
        (added, next) = (bytesPerLetter, index + 1)
      }
      letters += 1
      let (sum, overflow) = length.addingReportingOverflow(added)
      guard !overflow else { return .max }
      length = sum
      index = next
    }
    // Each expansion may be inside another one and repeat a pack of half of all there is.
    for _ in 0..<expansions {
      let (product, overflow) = length.multipliedReportingOverflow(by: max(letters / 2, 1))
      guard !overflow else { return .max }
      length = product
    }
    return length
  }

  /// The end and the size of a name written out with its length in front.
  private static func sourceName(_ name: [UInt8], at index: Int) -> (end: Int, size: Int)? {
    let digits = name[index...].prefix { (0x30...0x39).contains($0) }
    guard !digits.isEmpty else { return nil }
    let size = Int(String(decoding: digits, as: UTF8.self)) ?? Int.max
    return (min(name.count, digits.endIndex + min(size, name.count)), min(size, name.count))
  }

  /// The end of a reference to an earlier part: `S_`, `S1A_`, `T_`, `T0_`.
  private static func reference(_ name: [UInt8], at index: Int) -> Int? {
    guard name[index] == 0x53 || name[index] == 0x54 else { return nil }
    let number = name[(index + 1)...].prefix {
      (0x30...0x39).contains($0) || (0x41...0x5a).contains($0)
    }
    guard number.endIndex < name.count, name[number.endIndex] == 0x5f else { return nil }
    return number.endIndex + 1
  }
}

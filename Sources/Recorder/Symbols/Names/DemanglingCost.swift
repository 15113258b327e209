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
    var firstUses: [Int: Int] = [:]
    var index = 0
    while index < name.count {
      let added: Int
      let next: Int
      if let (end, size) = sourceName(name, at: index) {
        (added, next) = (size, end)
      } else if let (end, key) = reference(name, at: index) {
        let part = firstUses[key] ?? length
        firstUses[key] = part
        (added, next) = (part, end)
      } else {
        if isExpansion(name, at: index) { expansions += 1 }
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

  /// Whether what follows is repeated for each argument of a pack (`Dp`, `sp`).
  private static func isExpansion(_ name: [UInt8], at index: Int) -> Bool {
    guard index + 1 < name.count, name[index + 1] == 0x70 else { return false }
    return name[index] == 0x44 || name[index] == 0x73
  }

  /// The end and the size of a name written out with its length in front.
  private static func sourceName(_ name: [UInt8], at index: Int) -> (end: Int, size: Int)? {
    var size = 0
    var end = index
    while end < name.count, (0x30...0x39).contains(name[end]) {
      // A name cannot be longer than what is left; the product stays small that way.
      size = min(size * 10 + Int(name[end] - 0x30), name.count)
      end += 1
    }
    guard end > index else { return nil }
    return (min(name.count, end + size), size)
  }

  /// The end of a reference to an earlier part (`S_`, `S1A_`, `T_`, `T0_`), and a number that tells
  /// it from all others of up to ten digits.
  private static func reference(_ name: [UInt8], at index: Int) -> (end: Int, key: Int)? {
    guard name[index] == 0x53 || name[index] == 0x54 else { return nil }
    var key = Int(name[index])
    var end = index + 1
    while end < name.count, (0x30...0x39).contains(name[end]) || (0x41...0x5a).contains(name[end]) {
      key = key &* 64 &+ Int(name[end])
      end += 1
    }
    guard end < name.count, name[end] == 0x5f else { return nil }
    return (end + 1, key)
  }
}

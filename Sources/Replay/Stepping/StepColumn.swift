/// The columns of x86-64's register layout that an executed instruction touches without naming them,
/// and those it names.
enum StepColumn {
  static let ax = 0
  static let cx = 2
  static let bp = 6
  static let sp = 7
  static let ip = 8
  static let flags = 9
  static let r11 = 15

  /// The column of a register by its number, as instructions encode it.
  static func numbered(_ number: UInt8) -> Int {
    [0, 2, 3, 1, 7, 6, 4, 5, 12, 13, 14, 15, 16, 17, 18, 19][Int(number & 15)]
  }
}

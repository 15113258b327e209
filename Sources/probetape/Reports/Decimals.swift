/// Numbers as reports print them, with a fixed number of decimals.
enum Decimals {
  /// A number that is not negative, rounded to some places behind the point.
  static func text(_ value: Double, _ places: Int) -> String {
    precondition(value >= 0 && places >= 0)
    let unit = (0..<places).reduce(1.0) { unit, _ in unit * 10 }
    // What does not fit is more than anything that is counted or measured here.
    let digits = String(UInt64(exactly: (value * unit).rounded()) ?? .max)
    guard places > 0 else { return digits }
    let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
    return padded.dropLast(places) + "." + padded.suffix(places)
  }
}

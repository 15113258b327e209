/// Numbers as reports and exports print them, with a fixed number of decimals.
package enum Decimals {
  /// A number given in units of its last decimal.
  package static func text(units: UInt64, _ places: Int) -> String {
    let digits = zeros(String(units), to: places + 1)
    return places == 0 ? digits : digits.dropLast(places) + "." + digits.suffix(places)
  }

  /// A number that is not negative, rounded to its last decimal.
  package static func text(_ value: Double, _ places: Int) -> String {
    precondition(value >= 0 && places >= 0)
    let unit = (0..<places).reduce(1.0) { unit, _ in unit * 10 }
    // What does not fit is more than anything that is counted or measured here.
    return text(units: UInt64(exactly: (value * unit).rounded()) ?? .max, places)
  }
}

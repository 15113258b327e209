/// Texts and numbers as exports print them. Tapes are not trusted: no name may break a line.
enum ExportText {
  /// `0x` and hexadecimal digits.
  static func hexadecimal(_ value: UInt64) -> String { "0x" + String(value, radix: 16) }

  /// A text without control characters.
  static func line(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return text }
    return String(
      String.UnicodeScalarView(
        text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "?" : $0 }))
  }

  /// A frame of a folded stack: no separators either.
  static func frame(_ text: String) -> String {
    let text = line(text)
    guard text.utf8.contains(where: { $0 == 0x3B || $0 == 0x20 }) else { return text }
    return String(text.map { $0 == ";" ? ":" : $0 == " " ? "_" : $0 })
  }

  /// A JSON string with its quotes (RFC 8259, section 7).
  static func json(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }

  /// A text filled up with spaces at its left.
  static func right(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(0, width - text.count)) + text
  }
}

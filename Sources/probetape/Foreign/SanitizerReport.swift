/// Reads a sanitizer's report.
enum SanitizerReport {
  /// What was found, and where: one line.
  static func summary(_ report: String) -> String {
    let lines = report.split(separator: "\n").map(String.init)
    let found = lines.first {
      $0.contains("ERROR: AddressSanitizer") || $0.contains("runtime error:")
    }
    let place = lines.first { $0.hasPrefix("SUMMARY:") }
    let text = [found, place].compactMap { $0 }.map(withoutAddresses).joined(separator: "; ")
    return text.isEmpty ? "a sanitizer ended it" : text
  }

  /// Addresses and process numbers differ from run to run.
  private static func withoutAddresses(_ line: String) -> String {
    line.replacing(#/==\d+==/#, with: "").replacing(#/0x[0-9a-f]+/#, with: "0x…")
  }
}

internal import ProbeEvents

/// The numbers of a kernel release.
///
/// They supply defaults for rules that no fact settles, and nothing else.
struct KernelRelease: Comparable {
  var major: Int
  var minor: Int
  var patch: Int

  init(major: Int, minor: Int, patch: Int = 0) {
    self.major = major
    self.minor = minor
    self.patch = patch
  }

  /// The numbers at the start of a release as `uname -r` prints it (`6.1.0-18-amd64`, `6.1`,
  /// `7.0-rc3`); nil for text that does not start with two numbers.
  init?(_ text: String) {
    var numbers: [Int] = []
    var rest = text.utf8[...]
    while true {
      let digits = rest.prefix { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
      guard !digits.isEmpty, let number = Int(Substring(digits)) else { break }
      numbers.append(number)
      rest = rest[digits.endIndex...]
      guard numbers.count < 3, rest.first == UInt8(ascii: ".") else { break }
      rest = rest.dropFirst()
    }
    // What follows the numbers is the distribution's; a letter glued to them makes them none.
    let isSeparated = rest.first.map { "-+_~. ".utf8.contains($0) } ?? true
    guard numbers.count >= 2, isSeparated else { return nil }
    self.init(major: numbers[0], minor: numbers[1], patch: numbers.count > 2 ? numbers[2] : 0)
  }

  /// The release a kernel is built from. Debian keeps the third number of `uname -r` at 0 and names
  /// the stable release in `uname -v` (`#1 SMP PREEMPT_DYNAMIC Debian 6.1.76-1 (2024-02-01)`).
  init?(_ kernel: KernelFacts) {
    guard let release = KernelRelease(kernel.release) else { return nil }
    self = release
    let words = kernel.version.split(separator: " ")
    guard let mark = words.firstIndex(of: "Debian"), mark + 1 < words.endIndex,
      let source = KernelRelease(String(words[mark + 1])),
      (source.major, source.minor) == (major, minor)
    else { return }
    self = source
  }

  /// Whether this is a stable release of the given series, from the given patch on.
  func isStable(of major: Int, _ minor: Int, since patch: Int) -> Bool {
    self.major == major && self.minor == minor && self.patch >= patch
  }

  static func < (left: Self, right: Self) -> Bool {
    (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
  }
}

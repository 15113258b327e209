/// The demangled names of all functions of a file, made once when first needed.
struct CxxNames {
  private let names: [CxxName?]

  /// No file's demangled names take more, unless the file is made to fill our memory.
  private static let totalLimit = 1 << 28

  /// The names of some functions, in their order; nil for what is not C++.
  init(of functions: [ELFSymbol]) {
    var total = 0
    names = functions.map { function in
      guard total < Self.totalLimit, let name = demangle(function.name) else { return nil }
      total += name.utf8.count
      return CxxName(name)
    }
  }

  /// Calls `body` with the index and name of each C++ function whose name has all the words in it.
  ///
  /// A word is what one form of a name cannot lack; the forms themselves take longer to make.
  func forEach(having words: [[UInt8]], _ body: (Int, CxxName) -> Void) {
    for (index, name) in names.enumerated() {
      guard let name, words.allSatisfy({ Self.contains(name.full, $0) }) else { continue }
      body(index, name)
    }
  }

  /// The words of what a user wrote: runs of letters and digits, the longest first.
  static func words(of text: String) -> [[UInt8]] {
    let runs = text.utf8.split { byte in
      switch byte {
      case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f, 0x80...0xff: false
      default: true
      }
    }
    return runs.map(Array.init).sorted { $0.count > $1.count }
  }

  private static func contains(_ text: String, _ word: [UInt8]) -> Bool {
    guard let first = word.first else { return true }
    var rest = text.utf8[...]
    while let start = rest.firstIndex(of: first) {
      if rest[start...].starts(with: word) { return true }
      rest = rest[rest.index(after: start)...]
    }
    return false
  }
}

/// A demangled C++ function name, and the shorter forms in which people write it.
///
/// `int ns::max<int>(int, int)` may be written in full, without its return type, and without its
/// parameter list. Spaces do not count, except between two words.
struct CxxName {
  /// The whole demangled name.
  let full: String

  /// A name as the demangler printed it.
  init(_ full: String) {
    self.full = full
  }

  /// The demangled name of a symbol, or nil when the symbol is not a mangled one.
  init?(mangled: String) {
    guard let full = demangle(mangled) else { return nil }
    self.full = full
  }

  /// Every accepted form, in the spelling that `normalized` gives; the full one first.
  var forms: [String] {
    let (base, clones) = Self.splitClones(full)
    let suffix = clones.joined()
    let bracketed = clones.map { "[clone \($0)]" }.joined()
    var bases = [base]
    let isThunk = Self.specialPrefixes.contains { base.hasPrefix($0) }
    if !isThunk, let parameters = Self.parameterList(in: base) {
      let head = base[..<parameters.lowerBound]
      let name = head[Self.nameStart(in: head)...]
      bases.append(String(name) + String(base[parameters.lowerBound...]))
      bases.append(String(name) + String(base[parameters]))
      bases.append(String(name))
    }
    guard !clones.isEmpty else { return bases.map(Self.normalized) }
    // A clone is not the function its source names: it is found only with its suffix written.
    return bases.map { Self.normalized($0 + bracketed) }
      + bases.map { Self.normalized($0 + suffix) }
  }

  /// The name without return type and parameters, for lists of similar names.
  var short: String { forms.dropFirst(3).first ?? full }

  /// The text without spaces that do not separate two words.
  static func normalized(_ text: String) -> String {
    let bytes = Array(text.utf8)
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    for (index, byte) in bytes.enumerated() {
      guard byte == 0x20 else {
        result.append(byte)
        continue
      }
      guard let last = result.last, isWord(last),
        let next = bytes[(index + 1)...].first(where: { $0 != 0x20 }), isWord(next)
      else { continue }
      if bytes[index + 1] != 0x20 { result.append(byte) }
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// What the demangler writes in front of code that only leads to the function it names.
  private static let specialPrefixes = [
    "non-virtual thunk to ", "virtual thunk to ", "covariant return thunk to ",
    "transaction clone for ", "non-transaction clone for ", "TLS init function for ",
    "TLS wrapper function for ",
  ]

  private static func isWord(_ byte: UInt8) -> Bool {
    byte == 0x5f || (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte)
      || (0x61...0x7a).contains(byte) || byte >= 0x80
  }

  /// Separates the ` [clone .suffix]` parts at the end.
  private static func splitClones(_ text: String) -> (String, [String]) {
    var base = text[...]
    var clones: [String] = []
    let mark = " [clone "
    while base.last == "]", let open = base.lastIndex(of: "["),
      open != base.startIndex
    {
      let start = base.index(before: open)
      guard base[start...].hasPrefix(mark) else { break }
      clones.insert(String(base[start...].dropFirst(mark.count).dropLast()), at: 0)
      base = base[..<start]
    }
    return (String(base), clones)
  }

  /// The last pair of parentheses that is inside no other bracket.
  private static func parameterList(in text: String) -> Range<String.Index>? {
    var result: Range<String.Index>?
    var open: String.Index?
    scan(text[...]) { character, index, depth in
      if character == "(", depth == 1 { open = index }
      if character == ")", depth == 0, let start = open {
        result = start..<text.index(after: index)
      }
    }
    return result
  }

  /// Where the name starts behind a return type: after the last space outside brackets, but never
  /// inside `operator int` or `operator new`.
  private static func nameStart(in head: Substring) -> String.Index {
    var start = head.startIndex
    var isFixed = false
    scan(head) { character, index, depth in
      guard !isFixed, depth == 0 else { return }
      if isOperator(head, at: index) { isFixed = true }
      if character == " " { start = head.index(after: index) }
    }
    return start
  }

  private static func isOperator(_ text: Substring, at index: String.Index) -> Bool {
    guard text[index...].hasPrefix("operator") else { return false }
    if index > text.startIndex, let before = text[text.index(before: index)].asciiValue,
      isWord(before)
    {
      return false
    }
    let next = text[index...].dropFirst("operator".count).first
    return next.map { !($0.isLetter || $0.isNumber || $0 == "_") } ?? true
  }

  private static let symbolicOperators = [
    "->*", "<=>", "<<=", ">>=", "()", "[]", "->", "<<", ">>", "<=", ">=", "<", ">",
  ]

  /// Calls `visit` with each character and the bracket depth behind it; the signs of an operator's
  /// name are no brackets.
  private static func scan(
    _ text: Substring, _ visit: (Character, String.Index, _ depth: Int) -> Void
  ) {
    var stack: [Character] = []
    var index = text.startIndex
    while index < text.endIndex {
      let character = text[index]
      if character == "o", isOperator(text, at: index) {
        visit(character, index, stack.count)
        index = text.index(index, offsetBy: "operator".count)
        if let sign = symbolicOperators.first(where: { text[index...].hasPrefix($0) }) {
          index = text.index(index, offsetBy: sign.count)
        }
        continue
      }
      switch character {
      case "(", "[", "{", "<": stack.append(character)
      case ")": pop(&stack, upTo: "(")
      case "]": pop(&stack, upTo: "[")
      case "}": pop(&stack, upTo: "{")
      case ">": if stack.last == "<" { stack.removeLast() }
      default: break
      }
      visit(character, index, stack.count)
      index = text.index(after: index)
    }
  }

  private static func pop(_ stack: inout [Character], upTo open: Character) {
    guard let match = stack.lastIndex(of: open) else { return }
    stack.removeSubrange(match...)
  }
}

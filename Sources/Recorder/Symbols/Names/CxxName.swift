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

  /// Every accepted form, in the spelling that `normalized` gives; the full one first.
  var forms: [String] {
    let (base, clones) = Self.splitClones(Array(full.utf8)[...])
    let suffix = Array(clones.joined())
    let bracketed = Array(clones.map { Array("[clone ".utf8) + $0 + [0x5d] }.joined())
    var bases = [base]
    if let parts = Self.parts(of: base) {
      bases += [parts.name + parts.rest, parts.name + parts.parameters, parts.name]
    }
    guard !clones.isEmpty else { return bases.map(Self.normalized) }
    // A clone is not the function its source names: it is found only with its suffix written.
    return bases.map { Self.normalized($0 + bracketed) }
      + bases.map { Self.normalized($0 + suffix) }
  }

  /// The name without return type and parameters, for lists of similar names.
  var short: String {
    let (base, clones) = Self.splitClones(Array(full.utf8)[...])
    guard clones.isEmpty, let parts = Self.parts(of: base) else { return full }
    return Self.normalized(parts.name)
  }

  /// The text without spaces that do not separate two words.
  static func normalized(_ text: String) -> String { normalized(Array(text.utf8)[...]) }

  private static func normalized(_ bytes: ArraySlice<UInt8>) -> String {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var isAfterSpace = false
    for byte in bytes {
      guard byte != 0x20 else {
        isAfterSpace = true
        continue
      }
      if isAfterSpace, let last = result.last, isWord(last), isWord(byte) { result.append(0x20) }
      isAfterSpace = false
      result.append(byte)
    }
    return String(decoding: result, as: UTF8.self)
  }

  /// What the demangler writes in front of code that only leads to the function it names.
  private static let specialPrefixes = [
    "non-virtual thunk to ", "virtual thunk to ", "covariant return thunk to ",
    "transaction clone for ", "non-transaction clone for ", "TLS init function for ",
    "TLS wrapper function for ",
  ].map { Array($0.utf8) }

  private static func isWord(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f, 0x80...0xff: true
    default: false
    }
  }

  /// Separates the ` [clone .suffix]` parts at the end.
  private static func splitClones(
    _ text: ArraySlice<UInt8>
  ) -> (ArraySlice<UInt8>, [ArraySlice<UInt8>]) {
    let mark = Array(" [clone ".utf8)
    var base = text
    var clones: [ArraySlice<UInt8>] = []
    while base.last == 0x5d, let open = base.lastIndex(of: 0x5b), open > base.startIndex,
      base[(open - 1)...].starts(with: mark)
    {
      clones.insert(base[(open - 1)...].dropFirst(mark.count).dropLast(), at: 0)
      base = base[..<(open - 1)]
    }
    return (base, clones)
  }

  /// The parts of a function's name; nil where there is no parameter list, and for thunks, whose
  /// parts are those of another function.
  private static func parts(
    of base: ArraySlice<UInt8>
  ) -> (name: ArraySlice<UInt8>, parameters: ArraySlice<UInt8>, rest: ArraySlice<UInt8>)? {
    guard !specialPrefixes.contains(where: { base.starts(with: $0) }) else { return nil }
    // The parameter list is the last pair of parentheses inside no other bracket. The name starts
    // behind the last space outside brackets in front of it, but `operator int` and `operator new`
    // are names with a space.
    var opened: (at: Int, nameStart: Int)?
    var parameters: (range: Range<Int>, nameStart: Int)?
    var nameStart = base.startIndex
    var isOperatorName = false
    scan(base) { byte, index, depth, isOperator in
      if isOperator, depth == 0 { isOperatorName = true }
      if byte == 0x20, depth == 0, !isOperatorName { nameStart = index + 1 }
      if byte == 0x28, depth == 1 { opened = (index, nameStart) }
      if byte == 0x29, depth == 0, let start = opened {
        parameters = (start.at..<index + 1, start.nameStart)
      }
    }
    guard let parameters else { return nil }
    return (
      base[parameters.nameStart..<parameters.range.lowerBound], base[parameters.range],
      base[parameters.range.lowerBound...]
    )
  }

  private static let operatorWord = Array("operator".utf8)
  private static let symbolicOperators = [
    "->*", "<=>", "<<=", ">>=", "()", "[]", "->", "<<", ">>", "<=", ">=", "<", ">",
  ].map { Array($0.utf8) }

  private static func isOperator(_ text: ArraySlice<UInt8>, at index: Int) -> Bool {
    guard text[index...].starts(with: operatorWord) else { return false }
    if index > text.startIndex, isWord(text[index - 1]) { return false }
    return text[index...].dropFirst(operatorWord.count).first.map { !isWord($0) } ?? true
  }

  /// Calls `visit` with each byte, the bracket depth behind it, and whether an operator's name
  /// begins there; the signs of an operator's name are no brackets.
  private static func scan(
    _ text: ArraySlice<UInt8>,
    _ visit: (_ byte: UInt8, _ index: Int, _ depth: Int, _ isOperator: Bool) -> Void
  ) {
    var stack: [UInt8] = []
    var index = text.startIndex
    while index < text.endIndex {
      let byte = text[index]
      if byte == 0x6f, isOperator(text, at: index) {
        visit(byte, index, stack.count, true)
        index += operatorWord.count
        if let sign = symbolicOperators.first(where: { text[index...].starts(with: $0) }) {
          index += sign.count
        }
        continue
      }
      switch byte {
      case 0x28, 0x5b, 0x7b, 0x3c: stack.append(byte)
      case 0x29: pop(&stack, upTo: 0x28)
      case 0x5d: pop(&stack, upTo: 0x5b)
      case 0x7d: pop(&stack, upTo: 0x7b)
      // A comparison inside parentheses closes no template.
      case 0x3e where stack.last == 0x3c: stack.removeLast()
      default: break
      }
      visit(byte, index, stack.count, false)
      index += 1
    }
  }

  private static func pop(_ stack: inout [UInt8], upTo open: UInt8) {
    guard let match = stack.lastIndex(of: open) else { return }
    stack.removeSubrange(match...)
  }
}

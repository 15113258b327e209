/// The value of a preprocessor expression, by recursive descent.
struct ConditionalExpression {
  private var tokens: ArraySlice<String>
  private let defined: Set<String>

  init(_ text: String, defined: Set<String>) {
    tokens = ArraySlice(Self.tokens(text))
    self.defined = defined
  }

  /// The value; what cannot be understood counts as 0.
  mutating func value() -> Int {
    var left = conjunction()
    while take("||") {
      let right = conjunction()
      left = left != 0 || right != 0 ? 1 : 0
    }
    return left
  }

  private mutating func conjunction() -> Int {
    var left = comparison()
    while take("&&") {
      let right = comparison()
      left = left != 0 && right != 0 ? 1 : 0
    }
    return left
  }

  private mutating func comparison() -> Int {
    let left = unary()
    guard let mark = tokens.first, ["==", "!=", "<", ">", "<=", ">="].contains(mark) else {
      return left
    }
    tokens.removeFirst()
    let right = unary()
    let holds =
      switch mark {
      case "==": left == right
      case "!=": left != right
      case "<": left < right
      case ">": left > right
      case "<=": left <= right
      default: left >= right
      }
    return holds ? 1 : 0
  }

  private mutating func unary() -> Int {
    if take("!") { return unary() == 0 ? 1 : 0 }
    if take("(") {
      let inner = value()
      _ = take(")")
      return inner
    }
    guard let token = tokens.popFirst() else { return 0 }
    if ["defined", "IS_ENABLED", "IS_BUILTIN", "IS_REACHABLE"].contains(token) {
      let isParenthesized = take("(")
      let name = tokens.popFirst() ?? ""
      if isParenthesized { _ = take(")") }
      return defined.contains(name) ? 1 : 0
    }
    if let number = Int(token) { return number }
    if take("(") {
      // A function-like macro nobody defined: its arguments do not matter.
      while let inner = tokens.popFirst(), inner != ")" {}
      return 0
    }
    return defined.contains(token) ? 1 : 0
  }

  private mutating func take(_ token: String) -> Bool {
    guard tokens.first == token else { return false }
    tokens.removeFirst()
    return true
  }

  private static func tokens(_ text: String) -> [String] {
    var tokens: [String] = []
    var rest = text[...]
    while let first = rest.first {
      if first.isWhitespace {
        rest.removeFirst()
      } else if first.isLetter || first.isNumber || first == "_" {
        let word = rest.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        tokens.append(String(word))
        rest = rest.dropFirst(word.count)
      } else {
        let two = String(rest.prefix(2))
        let isPair = ["||", "&&", "==", "!=", "<=", ">="].contains(two)
        tokens.append(isPair ? two : String(first))
        rest = rest.dropFirst(isPair ? 2 : 1)
      }
    }
    return tokens
  }
}

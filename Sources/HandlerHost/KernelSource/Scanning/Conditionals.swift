/// Decides `#if`, `#ifdef` and their relatives for a fixed set of defined symbols.
///
/// Enough of the preprocessor for the few files in question: expressions of `defined`, `IS_ENABLED`,
/// numbers, `!`, `&&`, `||`, comparisons and parentheses. Symbols that are not defined count as 0.
enum Conditionals {
  /// Blanks the branches that are not compiled, and the conditional directives themselves.
  static func blankInactive(_ text: inout [UInt8], defined: Set<String>) {
    /// Whether this branch is compiled, whether an earlier one of the group was, and whether the
    /// whole group is.
    var groups: [(isActive: Bool, wasTaken: Bool, isEnclosed: Bool)] = []
    var start = 0
    while start < text.count {
      let end = endOfLogicalLine(text, start)
      let isActive = groups.last?.isActive ?? true
      var keeps = isActive
      if let (name, rest) = directive(text[start..<end]) {
        keeps = follow(name, rest, &groups, isActive, defined) ? false : keeps
      }
      if !keeps {
        for index in start..<end where text[index] != UInt8(ascii: "\n") {
          text[index] = UInt8(ascii: " ")
        }
      }
      start = end
    }
  }

  /// Follows a directive; true when it was a conditional one.
  private static func follow(
    _ name: String, _ rest: String,
    _ groups: inout [(isActive: Bool, wasTaken: Bool, isEnclosed: Bool)],
    _ isActive: Bool, _ defined: Set<String>
  ) -> Bool {
    func open(_ holds: Bool) { groups.append((isActive && holds, holds, isActive)) }
    func next(_ holds: Bool) {
      guard let group = groups.popLast() else { return }
      let isTaken = !group.wasTaken && holds
      groups.append((group.isEnclosed && isTaken, group.wasTaken || holds, group.isEnclosed))
    }
    switch name {
    case "ifdef": open(defined.contains(rest.firstWord))
    case "ifndef": open(!defined.contains(rest.firstWord))
    case "if": open(isTrue(rest, defined))
    case "elif": next(isTrue(rest, defined))
    case "else": next(true)
    case "endif": _ = groups.popLast()
    // Nothing but the files at hand is included.
    case "include": return true
    default: return false
    }
    return true
  }

  private static func isTrue(_ expression: String, _ defined: Set<String>) -> Bool {
    var evaluation = ConditionalExpression(expression, defined: defined)
    return evaluation.value() != 0
  }

  /// The place behind a line and the lines it is continued on.
  private static func endOfLogicalLine(_ text: [UInt8], _ start: Int) -> Int {
    var index = start
    while index < text.count {
      if text[index] == UInt8(ascii: "\n") {
        guard index > start, text[index - 1] == UInt8(ascii: "\\") else { return index + 1 }
      }
      index += 1
    }
    return index
  }

  /// A directive's name and the rest of its line.
  private static func directive(_ line: ArraySlice<UInt8>) -> (String, String)? {
    let text = String(decoding: line, as: UTF8.self)
    let trimmed = text.drop { $0 == " " || $0 == "\t" }
    guard trimmed.first == "#" else { return nil }
    let body = trimmed.dropFirst().drop { $0 == " " || $0 == "\t" }
    let name = body.prefix { $0.isLetter }
    return (String(name), body.dropFirst(name.count).filter { $0 != "\\" && $0 != "\n" })
  }
}

extension String {
  /// The identifier the text starts with, after blanks.
  fileprivate var firstWord: String {
    String(drop { $0 == " " || $0 == "\t" }.prefix { $0.isLetter || $0.isNumber || $0 == "_" })
  }
}

/// Reads what the compiler says, so that the symbol a tree needs can be named.
enum CompilerMessage {
  /// The texts that go before or after a symbol the compiler does not know, in gcc's and in clang's
  /// words.
  private static let marks = [
    "implicit declaration of function", "undeclared", "unknown type name", "undefined reference to",
    "has incomplete type", "incomplete type", "storage size of", "has no member named",
    "call to undeclared function", "no member named", "invalid use of undefined type",
    "undefined symbol", "dereferencing pointer to incomplete type",
  ]

  static func explain(_ errors: String) -> KernelSourceError {
    let lines = errors.split(separator: "\n").map(String.init)
    let complaint = lines.first { line in
      (line.contains("error:") || line.contains("undefined reference"))
        && marks.contains { line.contains($0) }
    }
    if let complaint, let name = quoted(complaint) {
      return .unknownSymbol(name: name, place: place(complaint))
    }
    // That the linker failed says less than what the linker said.
    let first =
      lines.first { $0.contains("error") && !$0.contains("linker command failed") }
      ?? lines.first { !$0.contains("warning:") } ?? "no message"
    return .doesNotCompile(first)
  }

  /// The first quoted word of a message, whichever quotes the compiler's language has.
  private static func quoted(_ line: String) -> String? {
    let opening: Set<Character> = ["\u{2018}", "'", "`"]
    let closing: Set<Character> = ["\u{2019}", "'"]
    guard let start = line.firstIndex(where: { opening.contains($0) }) else { return nil }
    let rest = line[line.index(after: start)...]
    guard let end = rest.firstIndex(where: { closing.contains($0) }) else { return nil }
    return String(rest[..<end])
  }

  /// The file and line before `error:`.
  private static func place(_ line: String) -> String {
    let parts = line.split(separator: ":", maxSplits: 3)
    guard parts.count >= 2, Int(parts[1]) != nil else { return "the tree" }
    return "\(parts[0]):\(parts[1])"
  }
}

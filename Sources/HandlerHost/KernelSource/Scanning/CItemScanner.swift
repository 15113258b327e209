/// Finds the top-level items of a C file by matching brackets; understands just enough of
/// declarations to name them.
struct CItemScanner {
  private let mask: [UInt8]
  private var index = 0
  private var items: [CItem] = []

  /// The items of a file, in order. Prototypes and forward declarations are left out.
  static func items(_ source: CSource) -> [CItem] {
    var scanner = CItemScanner(mask: source.mask)
    scanner.scan()
    return scanner.items
  }

  private init(mask: [UInt8]) { self.mask = mask }

  private mutating func scan() {
    while index < mask.count {
      let byte = mask[index]
      if byte == UInt8(ascii: "#") {
        scanDirective()
      } else if isBlank(byte) || byte == UInt8(ascii: ";") {
        index += 1
      } else {
        scanDeclaration()
      }
    }
  }

  private func isBlank(_ byte: UInt8) -> Bool { byte <= UInt8(ascii: " ") }

  private mutating func scanDirective() {
    let start = index
    while index < mask.count {
      if mask[index] == UInt8(ascii: "\n"), mask[index - 1] != UInt8(ascii: "\\") { break }
      index += 1
    }
    let words = CIdentifiers.all(mask, start..<index)
    guard words.count >= 2, words[0].name == "define" else { return }
    items.append(
      CItem(
        kind: .macro, names: [words[1].name], range: start..<index, body: start, isWeak: false))
  }

  /// Reads to the `;` or the end of the function body.
  private mutating func scanDeclaration() {
    let start = index
    var depth = 0
    var firstBrace: Int?
    while index < mask.count {
      switch mask[index] {
      case UInt8(ascii: "("), UInt8(ascii: "["): depth += 1
      case UInt8(ascii: ")"), UInt8(ascii: "]"): depth = max(0, depth - 1)
      case UInt8(ascii: "{") where depth == 0:
        let isFunction = firstBrace == nil && isFunctionHeader(start..<index)
        if firstBrace == nil { firstBrace = index }
        let brace = index
        skipBraces()
        if isFunction {
          addFunction(start..<index, body: brace)
          return
        }
        continue
      case UInt8(ascii: ";") where depth == 0:
        index += 1
        addDeclaration(start..<index, brace: firstBrace)
        return
      default: break
      }
      index += 1
    }
  }

  private mutating func skipBraces() {
    var depth = 0
    while index < mask.count {
      if mask[index] == UInt8(ascii: "{") { depth += 1 }
      if mask[index] == UInt8(ascii: "}") { depth -= 1 }
      index += 1
      if depth == 0 { return }
    }
  }

  private func isFunctionHeader(_ range: Range<Int>) -> Bool {
    guard let last = mask[range].last(where: { !isBlank($0) }) else { return false }
    if last == UInt8(ascii: ")") { return true }
    // An attribute may follow the parameters; an initializer or a type never has parameters.
    let hasParameters = mask[range].contains(UInt8(ascii: "("))
    return hasParameters && last != UInt8(ascii: "=") && CIdentifiers.isPart(last)
      && !mask[range].contains(UInt8(ascii: "="))
  }

  private mutating func addFunction(_ range: Range<Int>, body: Int) {
    guard let open = mask[range.lowerBound..<body].firstIndex(of: UInt8(ascii: "(")) else { return }
    let header = CIdentifiers.all(mask, range.lowerBound..<open)
    guard let name = header.last?.name else { return }
    items.append(
      CItem(
        kind: .function, names: [name], range: range, body: body,
        isWeak: header.contains { $0.name == "__weak" }))
  }

  private mutating func addDeclaration(_ range: Range<Int>, brace: Int?) {
    let head = CIdentifiers.all(mask, range.lowerBound..<(brace ?? range.upperBound))
    guard let first = head.first?.name else { return }
    let isTag = ["struct", "union", "enum"].contains(first)
    if first == "typedef" {
      let all = CIdentifiers.all(mask, range)
      if let name = all.last?.name { add(.type, [name], range) }
    } else if isTag, let brace, head.count <= 2 {
      var names = head.count == 2 ? ["\(first) \(head[1].name)"] : []
      if first == "enum" { names += enumerators(brace, range.upperBound) }
      add(.type, names, range)
    } else if let name = variableName(range, head, brace) {
      add(.variable, [name], range)
    }
  }

  private mutating func add(_ kind: CItem.Kind, _ names: [String], _ range: Range<Int>) {
    items.append(
      CItem(kind: kind, names: names, range: range, body: range.lowerBound, isWeak: false))
  }

  /// The constants of an enum: what stands behind `{` or `,`.
  private func enumerators(_ brace: Int, _ end: Int) -> [String] {
    var names: [String] = []
    var place = brace
    while place < end {
      if mask[place] == UInt8(ascii: "{") || mask[place] == UInt8(ascii: ",") {
        var start = place + 1
        while start < end, isBlank(mask[start]) { start += 1 }
        var stop = start
        while stop < end, CIdentifiers.isPart(mask[stop]) { stop += 1 }
        if stop > start { names.append(String(decoding: mask[start..<stop], as: UTF8.self)) }
      }
      place += 1
    }
    return names
  }

  /// The variable that a declaration defines; nil for a prototype or a forward declaration.
  private func variableName(
    _ range: Range<Int>, _ head: [CIdentifier], _ brace: Int?
  ) -> String? {
    guard !head.contains(where: { $0.name == "extern" }) else { return nil }
    let assign = mask[range].firstIndex(of: UInt8(ascii: "=")) ?? range.upperBound
    let bracket = mask[range].firstIndex(of: UInt8(ascii: "[")) ?? range.upperBound
    if let open = mask[range].firstIndex(of: UInt8(ascii: "(")), open < min(assign, bracket) {
      // A defining macro names its variable in its first argument; anything else is a prototype.
      let words = CIdentifiers.all(mask, range.lowerBound..<open)
      guard let macro = words.last?.name, macro.hasPrefix("DEFINE_"), words.count <= 2 else {
        return nil
      }
      return CIdentifiers.all(mask, open..<range.upperBound).first?.name
    }
    let words = CIdentifiers.all(mask, range.lowerBound..<min(assign, bracket))
    guard words.count >= 2, let last = words.last, last.tag == nil else { return nil }
    return last.name
  }
}

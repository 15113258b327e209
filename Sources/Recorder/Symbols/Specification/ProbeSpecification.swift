/// What a user asked to probe, parsed but not yet looked up in any file.
///
/// Accepted are bpftrace's forms (`uprobe:PATH:SYMBOL[+OFFSET]`, `uretprobe:PATH:SYMBOL`,
/// `uprobe:PATH:0xFILEOFFSET`, short `u:` and `ur:`, `cpp:"signature"` for the symbol, double quotes
/// around either part, `usdt:PATH:PROVIDER:NAME` or `U:`), libbpf's section names
/// (`uprobe/PATH:SYMBOL`), the kernel's own (`p:GROUP/EVENT PATH:OFFSET`, `r`,
/// `PATH:OFFSET%return(COUNTER)`), and perf's (`SYMBOL`, `SYMBOL+OFFSET`, `SYMBOL%return`), which name
/// no file. A `*` in the symbol stands for any text.
public struct ProbeSpecification: Sendable, Hashable {
  /// Which file is meant.
  public enum Target: Sendable, Hashable {
    /// A path, or a bare library or program name.
    case named(String)
    /// The file of `-x`, or the launched command where there is none.
    case unnamed
  }

  /// Where in the file.
  public enum Place: Sendable, Hashable {
    /// A symbol, mangled or demangled or a pattern with `*`, plus a distance in bytes.
    case symbol(String, offset: UInt64)
    /// A demangled C++ name only (`cpp:`), plus a distance in bytes.
    case cxxSymbol(String, offset: UInt64)
    /// An offset in the file, in bytes; not a virtual address.
    case fileOffset(UInt64)
    /// A tracepoint of the program (USDT); nil for any provider.
    case tracepoint(provider: String?, name: String)
  }

  /// The specification as the user wrote it.
  public let text: String
  /// Which file is meant.
  public let target: Target
  /// Where in the file.
  public let place: Place
  /// Whether the return is wanted as well as the entry.
  public let wantsReturn: Bool
  /// The file offset of the reference counter that was written behind a file offset; 0 without.
  public let referenceCounter: UInt64

  /// Parses one specification; looks nothing up.
  public init(_ text: String) throws(ProbeSpecificationError) {
    self.text = text
    guard !text.isEmpty else { throw .empty }
    if let (isReturn, location) = try Self.kernelForm(text) {
      let (path, whole) = try Self.splitPath(location)
      let (rest, counter) = try Self.withoutCounter(whole)
      let (body, hasSuffix) = try Self.withoutPerfSuffix(rest)
      guard !path.contains("*") else { throw .wildcardInPath(path) }
      target = .named(path)
      place = try Self.place(body)
      wantsReturn = isReturn || hasSuffix
      referenceCounter = counter
      return
    }
    guard let kind = try Self.kind(of: text) else {
      let (rest, counter) = try Self.withoutCounter(text[...])
      let (body, isReturn) = try Self.withoutPerfSuffix(rest)
      target = .unnamed
      place = try Self.place(body)
      wantsReturn = isReturn
      referenceCounter = counter
      return
    }
    let (path, whole) = try Self.splitPath(kind.rest)
    guard !path.contains("*") else { throw .wildcardInPath(path) }
    if kind.isTracepoint {
      target = .named(path)
      place = try Self.tracepoint(whole)
      wantsReturn = false
      referenceCounter = 0
      return
    }
    let (rest, counter) = try Self.withoutCounter(whole)
    let (body, hasPerfSuffix) = try Self.withoutPerfSuffix(rest)
    guard !hasPerfSuffix else { throw .returnSuffixWithKind(String(body)) }
    target = .named(path)
    place = try Self.place(body)
    wantsReturn = kind.isReturn
    referenceCounter = counter
  }

  /// The location of a line of the kernel's `uprobe_events` file, or of a bare `PATH:OFFSET`, which
  /// begins as a path does; nil for the other forms.
  private static func kernelForm(
    _ text: String
  ) throws(ProbeSpecificationError) -> (isReturn: Bool, location: Substring)? {
    if text.hasPrefix("/") || text.hasPrefix("./") || text.hasPrefix("../") {
      return (false, text[...])
    }
    let words = text.split(separator: " ", omittingEmptySubsequences: true)
    guard words.count > 1, let verb = words.first,
      verb == "p" || verb == "r"
        || verb.hasPrefix("p:") || verb.hasPrefix("r:")
    else { return nil }
    // A hit has all registers and stack words anyway.
    guard words.count == 2 else { throw .fetchArguments(words.dropFirst(2).joined(separator: " ")) }
    return (verb.hasPrefix("r"), words[1])
  }

  /// What the word before the first colon asks for.
  private struct Kind {
    let isReturn: Bool
    let isTracepoint: Bool
    let rest: Substring
  }

  private static let returnKinds: Set = ["uretprobe", "ur"]
  private static let tracepointKinds: Set = ["usdt", "U"]
  private static let longKinds: Set = ["uprobe", "uretprobe", "usdt"]

  /// The probe kind in front, or nil for perf's forms, which have none.
  private static func kind(
    of text: String
  ) throws(ProbeSpecificationError) -> Kind? {
    // A symbol may hold a colon only as `::`, inside parentheses or in quotes; a kind is a word
    // and one single colon (or libbpf's slash).
    let word = text.prefix { $0.isLetter || $0.isNumber || $0 == "_" || $0 == "." }
    let after = text[word.endIndex...]
    guard let separator = after.first, separator == ":" || separator == "/" else { return nil }
    guard !word.isEmpty else { throw .missingKind(text) }
    // `u::f` is a function f in a namespace u; nobody names a namespace by the long words.
    let name = String(word)
    guard !after.hasPrefix("::") || longKinds.contains(name), name != "cpp" else { return nil }
    let rest = after.dropFirst()
    let isReturn = returnKinds.contains(name)
    let isTracepoint = tracepointKinds.contains(name)
    if isReturn || isTracepoint || name == "uprobe" || name == "u" {
      return Kind(isReturn: isReturn, isTracepoint: isTracepoint, rest: rest)
    }
    if separator == "/" { throw .missingKind(text) }
    if !rest.isEmpty, rest.allSatisfy(\.isNumber) { throw .lineNumber(text) }
    throw .unknownKind(name)
  }

  private static func splitPath(
    _ text: Substring
  ) throws(ProbeSpecificationError) -> (path: String, rest: Substring) {
    if text.first == "\"" {
      let inner = text.dropFirst()
      guard let close = inner.firstIndex(of: "\"") else { throw .unbalancedQuote }
      guard close != inner.startIndex else { throw .missingPath }
      let after = inner[inner.index(after: close)...]
      guard after.first == ":" else { throw .missingSymbol }
      return (String(inner[..<close]), after.dropFirst())
    }
    guard let colon = text.firstIndex(of: ":") else {
      throw text.isEmpty ? .missingPath : .missingSymbol
    }
    guard colon != text.startIndex else { throw .missingPath }
    return (String(text[..<colon]), text[text.index(after: colon)...])
  }

  /// `PROVIDER:NAME`, or a name alone.
  private static func tracepoint(_ text: Substring) throws(ProbeSpecificationError) -> Place {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard let name = parts.last, !name.isEmpty, parts.first?.isEmpty == false else {
      throw .missingTracepoint
    }
    guard !name.hasSuffix("%return") else { throw .returnOfTracepoint(String(text)) }
    return .tracepoint(
      provider: parts.count == 2 ? parts.first.map(String.init) : nil, name: String(name))
  }

  /// The kernel's `OFFSET(COUNTER)` without the counter, and the counter's offset, 0 where there is
  /// none. Behind names, parentheses hold parameters.
  private static func withoutCounter(
    _ text: Substring
  ) throws(ProbeSpecificationError) -> (Substring, counter: UInt64) {
    guard let first = text.first, first.isASCII, first.isNumber, text.last == ")",
      let open = text.firstIndex(of: "(")
    else { return (text, 0) }
    let counter = try number(String(text[open...].dropFirst().dropLast()))
    guard counter != 0 else { throw .badOffset("0") }
    return (text[..<open], counter)
  }

  private static func withoutPerfSuffix(
    _ text: Substring
  ) throws(ProbeSpecificationError) -> (Substring, isReturn: Bool) {
    guard let percent = text.lastIndex(of: "%") else { return (text, false) }
    let suffix = text[percent...].dropFirst()
    if suffix == "return" { return (text[..<percent], true) }
    // `operator%` and `operator%=` are names; any other percent sign is one of perf's suffixes.
    guard text[..<percent].hasSuffix("operator") else { throw .unknownSuffix("%" + suffix) }
    return (text, false)
  }

  private static func place(_ text: Substring) throws(ProbeSpecificationError) -> Place {
    guard text.hasPrefix("cpp:") else {
      let (name, rest) = try unquoted(text)
      if let rest { return .symbol(name, offset: try offset(afterQuotes: rest)) }
      if let first = name.first, first.isASCII, first.isNumber {
        return .fileOffset(try number(name))
      }
      let (symbol, distance) = try splitOffset(name)
      return .symbol(symbol, offset: distance)
    }
    let (name, rest) = try unquoted(text.dropFirst("cpp:".count))
    if let rest { return .cxxSymbol(name, offset: try offset(afterQuotes: rest)) }
    let (symbol, distance) = try splitOffset(name)
    return .cxxSymbol(symbol, offset: distance)
  }

  /// The text inside the quotes and what follows them, or the text itself and nil without quotes.
  private static func unquoted(
    _ text: Substring
  ) throws(ProbeSpecificationError) -> (String, rest: Substring?) {
    guard text.first == "\"" else {
      guard !text.isEmpty else { throw .missingSymbol }
      return (String(text), nil)
    }
    let inner = text.dropFirst()
    guard let close = inner.lastIndex(of: "\"") else { throw .unbalancedQuote }
    guard close != inner.startIndex else { throw .missingSymbol }
    return (String(inner[..<close]), inner[inner.index(after: close)...])
  }

  private static func offset(
    afterQuotes rest: Substring
  ) throws(ProbeSpecificationError) -> UInt64 {
    guard !rest.isEmpty else { return 0 }
    guard rest.first == "+" else { throw .badOffset(String(rest)) }
    return try number(String(rest.dropFirst()))
  }

  private static func splitOffset(
    _ text: String
  ) throws(ProbeSpecificationError) -> (String, UInt64) {
    guard let plus = text.lastIndex(of: "+") else { return (text, 0) }
    let name = text[..<plus]
    let digits = text[plus...].dropFirst()
    // `operator+`, `operator++(int)` and template arguments hold plus signs too: a distance is
    // one word behind the last of them.
    let isWord = digits.allSatisfy { $0.isLetter || $0.isNumber }
    guard !digits.isEmpty, isWord else {
      if digits.isEmpty, !name.hasSuffix("operator"), !name.hasSuffix("operator+") {
        throw .badOffset("")
      }
      return (text, 0)
    }
    guard !name.isEmpty else { throw .missingSymbol }
    return (String(name), try number(String(digits)))
  }

  private static func number(_ text: String) throws(ProbeSpecificationError) -> UInt64 {
    let isHex = text.hasPrefix("0x") || text.hasPrefix("0X")
    let digits = isHex ? text.dropFirst(2) : text[...]
    // Swift would take a sign here; an offset has none.
    guard digits.first?.isHexDigit == true, let value = UInt64(digits, radix: isHex ? 16 : 10)
    else { throw .badOffset(text) }
    return value
  }
}

/// Why a probe specification could not be parsed.
public enum ProbeSpecificationError: Error, Sendable, Hashable {
  /// Nothing was written at all.
  case empty
  /// The kind (the word before the first colon) is not one of ours.
  case unknownKind(String)
  /// A path stands where the kind belongs.
  case missingKind(String)
  /// No path between kind and symbol.
  case missingPath
  /// No symbol behind the path.
  case missingSymbol
  /// An offset that is no number, is negative, or does not fit 64 bits.
  case badOffset(String)
  /// A double quote without its partner.
  case unbalancedQuote
  /// A `%` suffix other than `%return`.
  case unknownSuffix(String)
  /// `%return` together with `uprobe:` or `uretprobe:`.
  case returnSuffixWithKind(String)
  /// A source line, which needs debug information we do not read.
  case lineNumber(String)
  /// Fetch arguments behind the kernel's form.
  case fetchArguments(String)
  /// Neither provider nor name of a tracepoint, or one of them empty.
  case missingTracepoint
  /// A return of a tracepoint, which is no function.
  case returnOfTracepoint(String)
  /// A `*` in the path; only symbols may be patterns.
  case wildcardInPath(String)
}

extension ProbeSpecificationError: CustomStringConvertible {
  /// What is wrong, and what to write instead.
  public var description: String {
    switch self {
    case .empty:
      "the probe is empty; write uprobe:PATH:SYMBOL, uretprobe:PATH:SYMBOL or SYMBOL"
    case .unknownKind(let kind):
      "unknown probe kind '\(kind)'; write uprobe: (short u:), uretprobe: (short ur:) or usdt:"
    case .missingKind(let text):
      "'\(text)' names no probe kind; write uprobe:PATH:SYMBOL or uretprobe:PATH:SYMBOL"
    case .missingPath:
      "no path before the symbol; write uprobe:PATH:SYMBOL"
    case .missingSymbol:
      "no symbol behind the path; write uprobe:PATH:SYMBOL or uprobe:PATH:0xFILEOFFSET"
    case .badOffset(let text):
      "'\(text)' is not an offset; write decimal digits or 0x and hexadecimal digits"
    case .unbalancedQuote:
      "a double quote is not closed"
    case .unknownSuffix(let suffix):
      "unknown suffix '\(suffix)'; only %return is known"
    case .returnSuffixWithKind(let symbol):
      "%return belongs to the short form; write uretprobe:PATH:\(symbol)"
    case .lineNumber(let text):
      "'\(text)' names a source line; write SYMBOL+OFFSET (objdump -dl shows the offsets of a line)"
    case .fetchArguments(let text):
      "fetch arguments ('\(text)') are not needed: a hit holds all registers; leave them out"
    case .missingTracepoint:
      "a tracepoint's provider or name is missing; write usdt:PATH:PROVIDER:NAME"
    case .returnOfTracepoint(let text):
      "'\(text)' is a return of a tracepoint, which is no function; leave %return out"
    case .wildcardInPath(let path):
      "'*' is not allowed in the path '\(path)'; name one file"
    }
  }
}

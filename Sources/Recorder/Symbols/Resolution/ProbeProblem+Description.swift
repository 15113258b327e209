import Glibc

extension ProbeProblem: CustomStringConvertible {
  /// What is wrong, and what to do about it.
  public var description: String { text.printable }

  private var text: String {
    switch self {
    case .noTarget:
      "no file to look in; launch a command, give -x PATH, or write uprobe:PATH:SYMBOL"
    case .commandNotFound(let name):
      "the command '\(name)' was not found"
        + (name.contains("/") ? "; check its path" : " in PATH; give its path")
    case .nameNotFound(let name, let near):
      "'\(name)' is neither a library nor a program in PATH; give its path" + Self.list(near)
    case .file(let path, let error):
      Self.describe(error, path)
    case .script(let path, let interpreter):
      "\(path) is a script; probe the program that runs it: uprobe:\(interpreter):SYMBOL"
    case .wrongArchitecture(let path, let found, let expected):
      "\(path) is for \(found), and this machine is \(expected); probe a file that runs here"
    case .notLoadable(let path):
      "\(path) is an object file or a core dump, which never runs; probe the program or library"
    case .stripped(let path, let looked, let mismatched):
      "\(path) has no symbols" + Self.debugAdvice(looked, mismatched)
        + ", or probe by file offset: uprobe:\(path):0xOFFSET"
    case .unknownSymbol(let path, let symbol, let near, let hint):
      "no function '\(symbol)' in \(path)" + Self.list(near) + Self.describe(hint, symbol)
    case .notAFunction(let path, let symbol):
      "'\(symbol)' in \(path) is not a function; only code can be probed"
    case .indirectFunction(let path, let symbol, let implementations):
      "'\(symbol)' in \(path) is an indirect function: its address is a resolver that the loader"
        + " runs once; probe the implementation it chooses"
        + (implementations.isEmpty ? "" : ": " + implementations.joined(separator: ", "))
    case .otherVersions(let path, let symbol, let versions):
      "\(path) has '\(symbol)' only as "
        + versions.joined(separator: ", ") + "; write one of these"
    case .wildcardMatchesNothing(let path, let pattern):
      "no function in \(path) that can be probed matches '\(pattern)'"
    case .wildcardMatchesTooMuch(let path, let pattern, let count, let limit):
      "'\(pattern)' matches \(count) functions in \(path), and \(limit) is the limit; narrow it"
    case .unknownTracepoint(let path, let name, let others):
      "no tracepoint '\(name)' in \(path)"
        + (others.isEmpty ? "; it has none at all" : "; it has " + others.joined(separator: ", "))
    case .conflictingCounters(let place, let first, let second):
      "\(place) is to be probed \(Self.counter(first)) and \(Self.counter(second)), and the kernel"
        + " allows one kind only; leave one of the probes out"
    case .place(let problem):
      problem.description
    }
  }

  private static func describe(_ error: ELFError, _ path: String) -> String {
    switch error {
    case .missing: "there is no file \(path)"
    case .unreadable(let code): "cannot read \(path): \(message(code))"
    case .directory: "\(path) is a directory; name a program or library in it"
    case .notRegular: "\(path) is not a regular file; name a program or library"
    case .script(let interpreter, _): "\(path) is a script; probe \(interpreter) instead"
    case .notELF: "\(path) is not an ELF program or library"
    case .is32Bit(let machine):
      "\(path) is a 32-bit program (\(ELFMachine.name(machine))); only 64-bit ones are recorded"
    case .bigEndian: "\(path) is a big-endian program; only little-endian ones are recorded"
    case .damaged(let what): "\(path) is damaged: \(what) cannot be read"
    }
  }

  private static func describe(_ hint: UnknownSymbolHint, _ symbol: String) -> String {
    switch hint {
    case .none: ""
    case .imported(let library?): "; it is defined in \(library): uprobe:\(library):\(symbol)"
    case .imported(nil): "; the file only uses it: probe the library that defines it"
    case .strippedOfLocals(let looked, let mismatched):
      "; only its exported functions are known" + debugAdvice(looked, mismatched)
    }
  }

  private static func debugAdvice(_ looked: [String], _ mismatched: [String]) -> String {
    if let wrong = mismatched.first {
      return "; the debug file \(wrong) is of another build: install the one that fits"
    }
    guard let first = looked.first else {
      return "; install its debug symbols or an unstripped one"
    }
    return "; install its debug symbols (looked for \(first))"
  }

  private static func counter(_ offset: UInt64) -> String {
    offset == 0
      ? "without a reference counter"
      : "with the reference counter at 0x" + String(offset, radix: 16)
  }

  private static func list(_ near: [String]) -> String {
    near.isEmpty ? "" : "; did you mean " + near.joined(separator: ", ") + "?"
  }

  private static func message(_ code: Int32) -> String {
    // The library returns a terminated string, copied before another call can change it.
    guard let text = unsafe strerror(code) else { return "error \(code)" }
    return unsafe String(cString: text)
  }
}

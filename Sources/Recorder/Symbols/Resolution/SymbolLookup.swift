/// From a name in a specification to functions of one file.
///
/// A name is tried as it stands in the symbol table, then as a demangled C++ name in any of its
/// forms, and only then as a pattern. All functions of a name are meant: the static functions of one
/// name in several source files, and all overloads of a C++ name without its parameter list. None of
/// them is more right than another, and each hit says where it was.
struct SymbolLookup {
  /// The functions found, and whether a pattern found them.
  struct Found {
    let functions: [ELFSymbol]
    let isPattern: Bool
  }

  /// The most functions one pattern may match.
  let limit: Int
  /// Where an imported function is defined, if anyone knows.
  let definingLibrary: (String) -> String?

  /// The functions a name means in a file.
  func find(
    _ name: String, cxxOnly: Bool, in file: inout LoadedFile
  ) throws(ProbeProblem) -> Found {
    if !cxxOnly, let exact = try exact(name, in: file) {
      return Found(functions: exact, isPattern: false)
    }
    let cxx = cxxMatches(name, in: &file)
    if !cxx.isEmpty { return Found(functions: cxx, isPattern: false) }
    guard name.contains("*") else { throw unknown(name, in: &file) }
    return Found(functions: try pattern(name, cxxOnly: cxxOnly, in: &file), isPattern: true)
  }

  /// Functions whose name in the table is the one written; nil when there is none.
  private func exact(_ written: String, in file: LoadedFile) throws(ProbeProblem) -> [ELFSymbol]? {
    let parts = written.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
    let name = parts.count == 2 && !parts[0].isEmpty ? String(parts[0]) : written
    let version = name == written ? nil : parts[1]
    let named = file.symbols.functions(named: name)
    guard !named.isEmpty else { return nil }
    let chosen = named.filter { symbol in
      guard let version else { return symbol.isDefaultVersion }
      if version.hasPrefix("@") {
        return symbol.isDefaultVersion && symbol.version == String(version.dropFirst())
      }
      return symbol.version == String(version)
    }
    guard !chosen.isEmpty else {
      let versions = named.map { symbol in
        symbol.version.map { name + (symbol.isDefaultVersion ? "@@" : "@") + $0 } ?? name
      }
      throw .otherVersions(
        path: file.path, symbol: written, versions: Set(versions).sorted())
    }
    let direct = chosen.filter { !$0.isIndirect }
    guard !direct.isEmpty else {
      throw .indirectFunction(
        path: file.path, symbol: written,
        implementations: IndirectFunction.implementations(of: chosen, in: file))
    }
    return direct
  }

  private func cxxMatches(_ name: String, in file: inout LoadedFile) -> [ELFSymbol] {
    let wanted = CxxName.normalized(name)
    let functions = file.symbols.functions
    var matches: [ELFSymbol] = []
    file.cxxNames().forEach(having: CxxNames.words(of: name)) { index, cxx in
      let symbol = functions[index]
      guard symbol.isDefaultVersion, !symbol.isIndirect, cxx.forms.contains(wanted) else { return }
      matches.append(symbol)
    }
    return matches
  }

  private func pattern(
    _ pattern: String, cxxOnly: Bool, in file: inout LoadedFile
  ) throws(ProbeProblem) -> [ELFSymbol] {
    let functions = file.symbols.functions
    let raw = Wildcard(pattern)
    var matching: Set<Int> = []
    if !cxxOnly {
      matching.formUnion(functions.indices.filter { raw.matches(functions[$0].name) })
    }
    let spaced = Wildcard(CxxName.normalized(pattern))
    file.cxxNames().forEach(having: CxxNames.words(of: pattern)) { index, cxx in
      guard !matching.contains(index), cxx.forms.contains(where: spaced.matches) else { return }
      matching.insert(index)
    }
    let matches = matching.sorted().map { functions[$0] }.filter { symbol in
      symbol.isDefaultVersion && !symbol.isIndirect && file.codeOffset(of: symbol.address) != nil
    }
    // Aliases count once: they are one probe.
    let count = Set(matches.map(\.address)).count
    guard count > 0 else {
      if file.symbols.functions.isEmpty { throw stripped(file) }
      throw .wildcardMatchesNothing(path: file.path, pattern: pattern)
    }
    guard count <= limit else {
      throw .wildcardMatchesTooMuch(
        path: file.path, pattern: pattern, count: count, limit: limit)
    }
    return matches
  }

  private func unknown(_ name: String, in file: inout LoadedFile) -> ProbeProblem {
    let table = file.symbols
    if table.otherNames.contains(name) { return .notAFunction(path: file.path, symbol: name) }
    let isImported = table.importedNames.contains(name)
    if !isImported, table.functions.isEmpty { return stripped(file) }
    var near = NearMatches(to: CxxName.normalized(name))
    for symbol in table.functions { near.consider(symbol.name, shown: symbol.name) }
    // With parameters written, compare with parameters.
    let isWhole = name.contains("(")
    file.cxxNames().forEach(having: []) { _, cxx in
      let shown = isWhole ? cxx.full : cxx.short
      near.consider(isWhole ? CxxName.normalized(shown) : shown, shown: shown)
    }
    let hint: UnknownSymbolHint =
      if isImported {
        .imported(library: definingLibrary(name))
      } else if !table.isFull {
        .strippedOfLocals(looked: file.looked, mismatched: file.mismatched)
      } else {
        .none
      }
    return .unknownSymbol(
      path: file.path, symbol: name, near: isImported ? [] : near.names, hint: hint)
  }

  private func stripped(_ file: LoadedFile) -> ProbeProblem {
    .stripped(path: file.path, looked: file.looked, mismatched: file.mismatched)
  }
}

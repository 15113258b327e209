import CElf
import Glibc

/// What one symbol section holds, sorted by what it is good for.
struct ELFSymbols {
  /// Defined functions, in the table's order.
  var functions: [ELFSymbol] = []
  /// Names that are defined but are no functions: variables, labels.
  var otherNames: Set<String> = []
  /// Names the file expects from elsewhere.
  var importedNames: Set<String> = []
  /// Addresses of arm64's `$d` and `$x` symbols: where data in the code starts and ends.
  var dataMarks: [(address: UInt64, isData: Bool)] = []
}

extension ELFFile {
  /// Whether the file has the symbol table that `strip` takes away.
  var hasFullSymbolTable: Bool { section(UInt32(SHT_SYMTAB)) != nil }

  /// The full symbol table (`.symtab`).
  func staticSymbols() throws(ELFError) -> ELFSymbols {
    try symbols(UInt32(SHT_SYMTAB), versions: nil)
  }

  /// The dynamic symbol table (`.dynsym`) with the versions of its symbols.
  func dynamicSymbols() throws(ELFError) -> ELFSymbols {
    try symbols(UInt32(SHT_DYNSYM), versions: symbolVersions())
  }

  /// Symbol names longer than this are not believed; the longest C++ names seen are a tenth of it.
  private static let nameLimit = 1 << 16

  private func section(_ type: UInt32) -> GElf_Shdr? {
    sections.first { $0.header.sh_type == type }?.header
  }

  private func linkedStrings(_ section: GElf_Shdr) -> StringTable? {
    let index = Int(section.sh_link)
    guard sections.indices.contains(index), sections[index].header.sh_type == UInt32(SHT_STRTAB)
    else { return nil }
    return handle.bytes(of: sections[index].header).map(StringTable.init)
  }

  private func symbols(
    _ type: UInt32, versions: SymbolVersions?
  ) throws(ELFError) -> ELFSymbols {
    var result = ELFSymbols()
    guard let section = section(type) else { return result }
    guard let strings = linkedStrings(section) else { throw .damaged("the symbol names") }
    // Names may share their ends, so a hostile table could name one long string over and over:
    // all names together may be several times the string table, but not more.
    var budget = strings.size.multipliedReportingOverflow(by: 16).partialValue + (1 << 20)
    for (index, symbol) in handle.symbols(of: section).enumerated() {
      guard symbol.st_name != 0,
        let name = strings.string(at: UInt64(symbol.st_name), limit: Self.nameLimit)
      else { continue }
      budget -= name.utf8.count
      guard budget > 0 else { throw .damaged("the symbol names") }
      add(symbol, named: name, version: versions?.version(of: index), to: &result)
    }
    return result
  }

  private func add(
    _ symbol: GElf_Sym, named written: String, version: SymbolVersions.Entry?,
    to result: inout ELFSymbols
  ) {
    let (name, ownVersion) = Self.splitVersion(written)
    let kind = Int32(symbol.st_info & 0xf)
    guard symbol.st_shndx != UInt16(SHN_UNDEF) else {
      if kind != STT_FILE, kind != STT_SECTION { result.importedNames.insert(name) }
      return
    }
    switch kind {
    case STT_FUNC, STT_GNU_IFUNC:
      guard symbol.st_shndx != UInt16(SHN_ABS) else { return }
      let effective = version ?? ownVersion
      result.functions.append(
        ELFSymbol(
          name: name, version: effective?.name, isDefaultVersion: effective?.isDefault ?? true,
          address: symbol.st_value, size: symbol.st_size, binding: Self.binding(symbol.st_info),
          isIndirect: kind == STT_GNU_IFUNC))
    case STT_NOTYPE where machine == UInt16(EM_AARCH64) && Self.isDataMark(name):
      result.dataMarks.append((symbol.st_value, name.hasPrefix("$d")))
    case STT_FILE, STT_SECTION:
      return
    default:
      result.otherNames.insert(name)
    }
  }

  private static func isDataMark(_ name: String) -> Bool {
    name == "$d" || name == "$x" || name.hasPrefix("$d.") || name.hasPrefix("$x.")
  }

  private static func binding(_ info: UInt8) -> ELFSymbol.Binding {
    switch Int32(info >> 4) {
    case STB_LOCAL: .local
    case STB_WEAK: .weak
    default: .global
    }
  }

  /// `.symtab` has no version section: the linker writes versions into the names themselves.
  private static func splitVersion(_ name: String) -> (String, SymbolVersions.Entry?) {
    guard let at = name.utf8.firstIndex(of: 0x40), at != name.startIndex else { return (name, nil) }
    let rest = name[name.index(after: at)...]
    let isDefault = rest.first == "@"
    let version = isDefault ? rest.dropFirst() : rest
    return (String(name[..<at]), .init(name: String(version), isDefault: isDefault))
  }

  private func symbolVersions() -> SymbolVersions? {
    guard let indices = section(UInt32(bitPattern: Int32(truncatingIfNeeded: SHT_GNU_versym))),
      let definitions = section(UInt32(bitPattern: Int32(truncatingIfNeeded: SHT_GNU_verdef))),
      let strings = linkedStrings(definitions)
    else { return nil }
    var names: [UInt16: String] = [:]
    for definition in handle.versionDefinitions(of: definitions) {
      names[definition.index] = strings.string(at: definition.nameOffset, limit: Self.nameLimit)
    }
    return SymbolVersions(indices: handle.versionIndices(of: indices), names: names)
  }
}

/// Which version each dynamic symbol has.
struct SymbolVersions {
  /// A version, and whether a program that names none gets it.
  struct Entry {
    let name: String
    let isDefault: Bool
  }

  let indices: [UInt16]
  let names: [UInt16: String]

  /// The version of a symbol by its index, or nil for a local or unversioned one.
  func version(of symbol: Int) -> Entry? {
    guard indices.indices.contains(symbol) else { return nil }
    // The top bit hides a symbol from programs that name no version; 0 and 1 mean no version.
    let index = indices[symbol] & 0x7fff
    guard index > 1, let name = names[index] else { return nil }
    return Entry(name: name, isDefault: indices[symbol] & 0x8000 == 0)
  }
}

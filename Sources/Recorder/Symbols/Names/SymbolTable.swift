/// The functions of one ELF file, from all the symbol tables that describe it.
///
/// Aliases at one address stay apart here, since each may be asked for by name.
public struct SymbolTable: Sendable {
  /// Functions by address, then global before weak before local, then by name.
  public let functions: [ELFSymbol]
  /// Whether a full symbol table was found, in the file itself or in its debug file.
  public let isFull: Bool
  let otherNames: Set<String>
  let importedNames: Set<String>
  /// Addresses at which data begins and ends between instructions (arm64), ordered.
  let dataMarks: [(address: UInt64, isData: Bool)]

  /// The table of a file; the file at `debugPath` supplies the full symbol table of a stripped one.
  public init(of file: borrowing ELFFile, debugPath: String? = nil) throws(ELFError) {
    var tables = [try file.dynamicSymbols(), try file.staticSymbols()]
    var isFull = file.hasFullSymbolTable
    if !isFull, let debugPath {
      let debugFile = try ELFFile(path: debugPath)
      tables.append(try debugFile.staticSymbols())
      isFull = debugFile.hasFullSymbolTable
    }
    self.init(tables, isFull: isFull)
  }

  /// A table without symbols.
  public init() {
    self.init([], isFull: false)
  }

  /// The table of a file at an absolute path. The full symbol table of a stripped one is looked for
  /// in its separate debug file, under `debugRoots` too.
  public init(
    of file: borrowing ELFFile, at path: String, debugRoots: [String]
  ) throws(ELFError) {
    var search = DebugFileSearch(roots: debugRoots)
    let debugPath = file.hasFullSymbolTable ? nil : search.find(for: file, at: path)
    try self.init(of: file, debugPath: debugPath)
  }

  init(_ tables: [ELFSymbols], isFull: Bool) {
    self.isFull = isFull
    otherNames = tables.reduce(into: []) { $0.formUnion($1.otherNames) }
    importedNames = tables.reduce(into: []) { $0.formUnion($1.importedNames) }
    dataMarks = tables.flatMap(\.dataMarks).sorted { $0.address < $1.address }
    var seen: Set<NameAndAddress> = []
    // The dynamic table comes first and knows the versions; the same symbol in the full table
    // adds nothing.
    functions = tables.flatMap(\.functions)
      .filter { seen.insert(NameAndAddress(name: $0.name, address: $0.address)).inserted }
      .sorted { ($0.address, $0.binding, $0.name) < ($1.address, $1.binding, $1.name) }
  }

  /// The functions of a name as it stands in the table; a name may hold a version.
  public func functions(named name: String) -> [ELFSymbol] {
    functions.filter { $0.name == name }
  }

  /// The function that an address lies in: the nearest one that starts at or before it and, where
  /// its size is known, reaches it.
  public func function(containing address: UInt64) -> ELFSymbol? {
    var low = 0
    var high = functions.count
    while low < high {
      let middle = (low + high) / 2
      if functions[middle].address <= address { low = middle + 1 } else { high = middle }
    }
    // Aliases share a start: the preferred one comes first among them.
    guard low > 0 else { return nil }
    let start = functions[low - 1].address
    var first = low - 1
    while first > 0, functions[first - 1].address == start { first -= 1 }
    return functions[first..<low].first { symbol in
      symbol.size == 0 || address - symbol.address < symbol.size
    }
  }

  /// The address of the next function behind an address, which ends one of unknown size.
  func nextStart(after address: UInt64) -> UInt64? {
    functions.first { $0.address > address }?.address
  }

  /// Whether an address lies in data between instructions, as far as the table says.
  func isData(_ address: UInt64) -> Bool {
    dataMarks.last { $0.address <= address }?.isData ?? false
  }

  private struct NameAndAddress: Hashable {
    let name: String
    let address: UInt64
  }
}

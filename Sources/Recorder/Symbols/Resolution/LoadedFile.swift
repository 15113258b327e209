import CElf
import Glibc
import ProbeEvents

/// What is known of a file that is to be probed: a copy, so that no file stays open.
struct LoadedFile {
  /// Absolute, with links resolved.
  let path: String
  let identity: FileIdentity
  let architecture: Architecture
  let entryAddress: UInt64
  let segments: [ELFSegment]
  let buildID: [UInt8]
  let symbols: SymbolTable
  /// Where separate debug files were looked for, and which ones were of another build.
  let looked: [String]
  let mismatched: [String]
  let unwindEntries: [UnwindEntry]
  private var knownCxxNames: CxxNames?

  /// Reads a file and, if its own symbol table is stripped, its debug file's.
  init(path given: String, search: SymbolSearch) throws(ProbeProblem) {
    guard let path = FileIdentity.absolutePath(of: given),
      let identity = FileIdentity(path: path)
    else { throw .file(path: given, .missing) }
    self.path = path
    self.identity = identity
    do {
      let file = try ELFFile(path: path)
      architecture = try Self.checkedArchitecture(file, path, search)
      entryAddress = file.entryAddress
      segments = file.segments
      buildID = file.buildID
      unwindEntries = file.unwindEntries()
      var debugSearch = DebugFileSearch(roots: search.debugRoots)
      let debugPath = file.hasFullSymbolTable ? nil : debugSearch.find(for: file, at: path)
      symbols = try SymbolTable(of: file, debugPath: debugPath)
      looked = debugSearch.looked
      mismatched = debugSearch.mismatched
    } catch let error as ELFError {
      guard case .script(let interpreter, let argument) = error else {
        throw .file(path: path, error)
      }
      throw .script(
        path: path,
        interpreter: TargetLocator.realInterpreter(interpreter, argument, search: search))
    } catch let problem as ProbeProblem {
      throw problem
    } catch {
      throw .file(path: path, .damaged("the file"))
    }
  }

  private static func checkedArchitecture(
    _ file: borrowing ELFFile, _ path: String, _ search: SymbolSearch
  ) throws(ProbeProblem) -> Architecture {
    let found = ELFMachine.architecture(file.machine)
    if let expected = search.architecture, found != expected {
      throw .wrongArchitecture(
        path: path, found: ELFMachine.name(file.machine), expected: expected.name)
    }
    guard let found else {
      throw .wrongArchitecture(
        path: path, found: ELFMachine.name(file.machine),
        expected: Architecture.allCases.map(\.name).joined(separator: " or "))
    }
    // Only the file that is mapped must be whole; a debug file has the headers without the code.
    guard file.segments.allSatisfy({ !$0.isExecutable || $0.fileOffset + $0.fileSize <= file.size })
    else { throw .file(path: path, .damaged("the code, which reaches beyond the file's end,")) }
    guard file.type == UInt16(ET_EXEC) || file.type == UInt16(ET_DYN) else {
      throw .notLoadable(path: path)
    }
    return found
  }

  /// The demangled names of `symbols.functions`, in their order; made when first needed.
  mutating func cxxNames() -> CxxNames {
    if let knownCxxNames { return knownCxxNames }
    let names = CxxNames(of: symbols.functions)
    knownCxxNames = names
    return names
  }

  /// Bytes of the file, fewer than asked for at its end; none when it has gone since.
  func bytes(at offset: UInt64, upTo count: Int) -> [UInt8] {
    guard let file = try? ELFFile(path: path) else { return [] }
    return file.bytes(at: offset, upTo: count)
  }

  /// The tracepoints that the file describes; none when it has gone since.
  func tracepoints() -> [ELFTracepoint] {
    guard let file = try? ELFFile(path: path) else { return [] }
    return file.tracepoints()
  }

  /// The file offset of a virtual address that is mapped executable.
  func codeOffset(of address: UInt64) -> UInt64? {
    segments.lazy.filter(\.isExecutable).compactMap { $0.fileOffset(of: address) }.first
  }

  /// The virtual address of a file offset that is mapped executable.
  func codeAddress(ofFileOffset offset: UInt64) -> UInt64? {
    segments.lazy.filter(\.isExecutable).compactMap { $0.address(ofFileOffset: offset) }.first
  }

  /// The file offset of a virtual address that is mapped writable.
  func dataOffset(of address: UInt64) -> UInt64? {
    segments.lazy.filter(\.isWritable).compactMap { $0.fileOffset(of: address) }.first
  }

  /// The virtual address of a file offset that is mapped writable.
  func dataAddress(ofFileOffset offset: UInt64) -> UInt64? {
    segments.lazy.filter(\.isWritable).compactMap { $0.address(ofFileOffset: offset) }.first
  }

  /// Where the function or unwinding entry around an address begins; nil when nothing tells.
  func codeStart(around address: UInt64) -> UInt64? {
    if let function = symbols.function(containing: address) { return function.address }
    guard let entry = unwindEntries.last(where: { $0.start <= address }),
      let file = try? ELFFile(path: path), let length = file.length(of: entry),
      address - entry.start < length
    else { return nil }
    return entry.start
  }
}

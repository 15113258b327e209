import ProbeEvents
import Recorder

/// What unwinding needs of one mapped file: its unwind tables, its segments, its functions.
final class UnwindImage {
  /// Bytes of unwind tables that are kept of a file.
  static let tableLimit: UInt64 = 1 << 28

  /// Where it was read from.
  let path: String
  let segments: [ELFSegment]
  /// Nil where the file has none in the form that linkers write.
  let tables: UnwindTables?
  let architecture: Architecture?
  private let debugRoots: [String]
  private let bytes: [UInt8]?
  private let words: FileWords
  private var knownSymbols: SymbolTable?
  private var names: [UInt64: String] = [:]

  /// Reads a file on disk.
  init(path: String, debugRoots: [String]) throws(ELFError) {
    let file = try ELFFile(path: path)
    self.path = path
    self.debugRoots = debugRoots
    bytes = nil
    segments = file.segments
    tables = file.unwindTables(limit: Self.tableLimit)
    architecture = file.architecture
    words = FileWords { offset, count in
      // A file that has gone since then has nothing to say.
      (try? ELFFile(path: path))?.bytes(at: offset, upTo: count) ?? []
    }
  }

  /// Reads a file that is in memory.
  init(name: String, bytes: [UInt8]) throws(ELFError) {
    let file = try ELFFile(bytes: bytes)
    path = name
    debugRoots = []
    self.bytes = bytes
    segments = file.segments
    tables = file.unwindTables(limit: Self.tableLimit)
    architecture = file.architecture
    words = FileWords { offset, count in
      let start = Int(clamping: min(offset, UInt64(bytes.count)))
      return [UInt8](bytes[start..<min(bytes.count, start + count)])
    }
  }

  /// How far a mapping lies from the virtual addresses of the file: added to one, it gives the
  /// address in memory. Nil when no executable segment of the file is mapped so.
  func bias(of area: ProcessMap.Area) -> UInt64? {
    let end = area.fileOffset &+ (area.end - area.start)
    let segment = segments.first { segment in
      segment.isExecutable && segment.fileOffset < end
        && area.fileOffset < segment.fileOffset &+ segment.fileSize
    }
    guard let segment else { return nil }
    return (area.start &- area.fileOffset) &- (segment.address &- segment.fileOffset)
  }

  /// Eight bytes of the file; what lies behind its end reads as zero.
  func word(atFileOffset offset: UInt64) -> UInt64 { words.word(atFileOffset: offset) }

  /// Eight bytes at a virtual address as the file has them; nil where it maps nothing.
  func word(at address: UInt64) -> UInt64? {
    segments.lazy.compactMap { $0.fileOffset(of: address) }.first.map(words.word(atFileOffset:))
  }

  /// The function that a byte of the file belongs to, with the distance from its start; nil when
  /// the file's symbols do not say.
  func function(atFileOffset offset: UInt64) -> (name: String, distance: UInt64)? {
    let found = segments.lazy.filter(\.isExecutable)
      .compactMap { $0.address(ofFileOffset: offset) }.first
    guard let address = found, let symbol = symbols.function(containing: address) else {
      return nil
    }
    if let known = names[symbol.address] { return (known, address - symbol.address) }
    let name = demangle(symbol.name) ?? symbol.name
    names[symbol.address] = name
    return (name, address - symbol.address)
  }

  private var symbols: SymbolTable {
    if let knownSymbols { return knownSymbols }
    let table = readSymbols()
    knownSymbols = table
    return table
  }

  /// Symbols only name frames: where they are damaged, frames stay without names.
  private func readSymbols() -> SymbolTable {
    do {
      if let bytes { return try SymbolTable(of: try ELFFile(bytes: bytes)) }
      return try SymbolTable(of: try ELFFile(path: path), at: path, debugRoots: debugRoots)
    } catch {
      return SymbolTable()
    }
  }
}

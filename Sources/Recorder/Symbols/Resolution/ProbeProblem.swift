/// Why one probe specification leads to no probe.
public enum ProbeProblem: Error, Sendable, Hashable {
  /// A symbol alone, and neither a command nor `-x PATH` to look in.
  case noTarget
  /// The launched command is not in `PATH`.
  case commandNotFound(String)
  /// A bare name is neither library nor program; similar library names.
  case nameNotFound(String, near: [String])
  /// The file is not what a probe can be set in.
  case file(path: String, ELFError)
  /// A script, and the program that runs it.
  case script(path: String, interpreter: String)
  /// A 64-bit file for another processor.
  case wrongArchitecture(path: String, found: String, expected: String)
  /// An object file or core dump, which is never run.
  case notLoadable(path: String)
  /// The file has no symbols; where its debug file was looked for, and what did not fit.
  case stripped(path: String, looked: [String], mismatched: [String])
  /// No function of that name; similar names, and where else it may be.
  case unknownSymbol(path: String, symbol: String, near: [String], hint: UnknownSymbolHint)
  /// The name is that of a variable or label.
  case notAFunction(path: String, symbol: String)
  /// The name is that of a resolver; its implementations, as far as found.
  case indirectFunction(path: String, symbol: String, implementations: [String])
  /// The name exists only with other versions than the one asked for.
  case otherVersions(path: String, symbol: String, versions: [String])
  /// A pattern that fits no function.
  case wildcardMatchesNothing(path: String, pattern: String)
  /// A pattern that fits more functions than may be probed at once.
  case wildcardMatchesTooMuch(path: String, pattern: String, count: Int, limit: Int)
  /// No tracepoint of that name; those the file has.
  case unknownTracepoint(path: String, name: String, others: [String])
  /// One place is to be probed with two reference counters; 0 stands for none.
  case conflictingCounters(place: String, UInt64, UInt64)
  /// The function or offset was found, but no probe can be set at that place.
  case place(PlaceProblem)
}

/// Why a symbol may be unknown, where there is a reason.
public enum UnknownSymbolHint: Sendable, Hashable {
  /// No special reason.
  case none
  /// The file only uses the function; a library defines it.
  case imported(library: String?)
  /// The file's full symbol table is gone, so local functions are unknown.
  case strippedOfLocals(looked: [String], mismatched: [String])
}

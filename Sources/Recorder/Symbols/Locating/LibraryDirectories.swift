/// The last places the loader looks for a library: given directories, its cache, its own defaults.
enum LibraryDirectories {
  /// The first usable file for a soname.
  static func find(
    _ name: String, in directories: [String], search: SymbolSearch, cache: LoaderCache,
    isUsable: (String) -> Bool
  ) -> String? {
    let given = directories.flatMap { candidates(name, in: $0, search) }
    if let found = given.first(where: isUsable) { return found }
    let cached = cache.paths(of: name, capabilities: search.hardwareCapabilities)
    if let found = cached.first(where: isUsable) { return found }
    return search.libraryDirectories.lazy.flatMap { candidates(name, in: $0, search) }
      .first(where: isUsable)
  }

  private static func candidates(
    _ name: String, in directory: String, _ search: SymbolSearch
  ) -> [String] {
    search.hardwareCapabilities.map { "\(directory)/glibc-hwcaps/\($0)/\(name)" }
      + ["\(directory)/\(name)"]
  }

  /// Whether a soname is what a user means by a bare name: `libc.so.6` itself, `libc` or `c`.
  static func matches(_ wanted: String, soname: String) -> Bool {
    guard wanted != soname else { return true }
    guard let dot = soname.ranges(of: ".so").first?.lowerBound else { return false }
    let stem = soname[..<dot]
    return stem == wanted || stem == "lib" + wanted || soname.hasPrefix(wanted + ".so.")
      || soname == wanted + ".so"
  }
}

/// From what a user calls a file to the file: a path, the launched command, a library, a program.
///
/// A bare name is looked up in this order: the launched command's own name, the libraries it will
/// have mapped, the files attached processes have mapped, the system's libraries, programs in
/// `PATH`, and at last a file in the current directory.
struct TargetLocator {
  /// The words of the launched command; empty when processes are attached to.
  let command: [String]
  /// The file of `-x`.
  let defaultPath: String?
  /// Files that attached processes have mapped.
  let mappedFiles: [String]
  let search: SymbolSearch

  private let cache: LoaderCache
  private let commandPath: String?
  private let closure: Result<LibraryClosure, ELFError>?

  /// A found file, and what the user should know about how it was found.
  struct Found {
    let path: String
    var note: String?
  }

  /// A locator; looks up the command and its libraries at once.
  init(command: [String], defaultPath: String?, mappedFiles: [String], search: SymbolSearch) {
    self.command = command
    self.defaultPath = defaultPath
    self.mappedFiles = mappedFiles
    self.search = search
    cache = LoaderCache(path: search.libraryCache)
    commandPath = command.first.flatMap {
      CommandLookup.find($0, programPath: search.programPath)
    }
    guard let commandPath else {
      closure = nil
      return
    }
    let program = Self.interpreted(commandPath, search: search)
    do {
      closure = .success(try LibraryClosure(program: program, search: search, cache: cache))
    } catch {
      closure = .failure(error)
    }
  }

  /// The file a specification means.
  func locate(_ target: ProbeSpecification.Target) throws(ProbeProblem) -> Found {
    switch target {
    case .unnamed:
      if let defaultPath { return try locate(.named(defaultPath)) }
      guard let name = command.first else { throw .noTarget }
      guard let commandPath else { throw .commandNotFound(name) }
      return Found(path: commandPath)
    case .named(let name):
      if name.contains("/") { return Found(path: name) }
      guard let found = bare(name) else {
        throw .nameNotFound(name, near: nearNames(to: name))
      }
      return found
    }
  }

  /// The name of the first library of the command that exports a function, as the loader binds it.
  func library(defining function: String) -> String? {
    guard case .success(let closure)? = closure else { return nil }
    return closure.objects.first { object in
      guard let file = try? ELFFile(path: object.path), let symbols = try? file.dynamicSymbols()
      else { return false }
      return symbols.functions.contains { $0.name == function && $0.isDefaultVersion }
    }?.name
  }

  private func bare(_ name: String) -> Found? {
    if let commandPath, let word = command.first,
      name == word || name == LibraryClosure.lastPart(word)
    {
      return Found(path: commandPath)
    }
    let objects = (try? closure?.get())?.objects ?? []
    if let object = objects.first(where: { Self.isMeant(name, $0) }) {
      return Found(path: object.path)
    }
    if let mapped = mappedFiles.first(where: {
      let last = LibraryClosure.lastPart($0)
      return last == name || LibraryDirectories.matches(name, soname: last)
    }) {
      return Found(path: mapped)
    }
    if let library = systemLibrary(name) { return Found(path: library, note: absence(of: library)) }
    if let program = CommandLookup.find(name, programPath: search.programPath) {
      return Found(path: program)
    }
    return FileIdentity(path: name) == nil ? nil : Found(path: name)
  }

  private static func isMeant(_ name: String, _ object: LibraryClosure.Object) -> Bool {
    let last = LibraryClosure.lastPart(object.path)
    // `ld.so` is what people call the loader, whose file is named after the architecture.
    return LibraryDirectories.matches(name, soname: object.name)
      || LibraryDirectories.matches(name, soname: last)
      || name == "ld.so" && last.hasPrefix("ld-linux")
  }

  private func systemLibrary(_ name: String) -> String? {
    let sonames = cache.entries.map(\.name).filter { LibraryDirectories.matches(name, soname: $0) }
    // Without a cache only whole names can be looked for.
    let wanted = [name] + sonames.sorted() + [name + ".so", "lib\(name).so"]
    for candidate in wanted where candidate.contains(".so") {
      let found = LibraryDirectories.find(
        candidate, in: [], search: search, cache: cache,
        isUsable: { path in
          guard let file = try? ELFFile(path: path) else { return false }
          guard let architecture = search.architecture else { return true }
          return ELFMachine.architecture(file.machine) == architecture
        })
      if let found { return found }
    }
    return nil
  }

  /// Why a library outside the command's own may never be hit.
  private func absence(of library: String) -> String? {
    guard let word = command.first, case .success(let closure)? = closure else { return nil }
    guard !closure.isStatic else {
      return "\(word) is statically linked and maps no libraries: \(library) will not be hit"
        + " unless another program is started; probe the function in \(word) itself"
    }
    return "\(library) is not among the libraries \(word) is linked with: it is hit only if loaded"
      + " later"
  }

  private func nearNames(to name: String) -> [String] {
    var near = NearMatches(to: name)
    let objects = (try? closure?.get())?.objects ?? []
    for soname in objects.map(\.name) + cache.entries.map(\.name) {
      let stem = soname.ranges(of: ".so").first.map { String(soname[..<$0.lowerBound]) } ?? soname
      near.consider(stem, shown: stem)
    }
    return near.names
  }

  /// The program that will really run: a script's interpreter, through as many scripts as the
  /// kernel follows.
  private static func interpreted(_ path: String, search: SymbolSearch) -> String {
    var program = path
    for _ in 0..<5 {
      do {
        _ = try ELFFile(path: program)
        return program
      } catch {
        guard case .script(let interpreter, let argument) = error else { return program }
        program = realInterpreter(interpreter, argument, search: search)
      }
    }
    return program
  }

  /// `#!/usr/bin/env NAME` runs NAME from `PATH`.
  static func realInterpreter(
    _ interpreter: String, _ argument: String?, search: SymbolSearch
  ) -> String {
    guard LibraryClosure.lastPart(interpreter) == "env",
      let word = argument?.split(separator: " ").first(where: { $0 != "-S" }),
      let found = CommandLookup.find(String(word), programPath: search.programPath)
    else { return interpreter }
    return found
  }
}

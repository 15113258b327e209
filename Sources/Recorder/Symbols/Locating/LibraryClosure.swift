import ProbeEvents

/// The libraries a program will have mapped when its own code starts, found as the dynamic loader
/// finds them: the program, `LD_PRELOAD`, then what they need, breadth first, and the loader itself.
struct LibraryClosure {
  /// One file the loader maps.
  struct Object {
    /// Where it was found.
    let path: String
    /// The name it goes by: its `DT_SONAME`, else the last part of its path.
    let name: String
  }

  /// The objects in the order in which the loader maps them, without the program.
  private(set) var objects: [Object] = []
  /// Whether the program starts without a loader, so that no library will ever be mapped.
  private(set) var isStatic = false

  private let search: SymbolSearch
  private let cache: LoaderCache
  private let machine: UInt16

  /// A program needs dozens of libraries, not thousands.
  private static let objectLimit = 4096

  /// The closure of a program.
  init(program path: String, search: SymbolSearch, cache: LoaderCache) throws(ELFError) {
    self.search = search
    self.cache = cache
    let file = try ELFFile(path: path)
    machine = file.machine
    let dynamic = file.dynamic()
    isStatic = dynamic.interpreter == nil
    guard !isStatic else { return }
    collect(Request(path: path, dynamic: dynamic, inheritedRpath: []))
    if let interpreter = dynamic.interpreter, let loader = try? ELFFile(path: interpreter) {
      let name = loader.dynamic().soname ?? Self.lastPart(interpreter)
      if !objects.contains(where: { $0.name == name }) {
        objects.append(Object(path: interpreter, name: name))
      }
    }
  }

  /// An object whose needs are still to be looked up.
  private struct Request {
    let path: String
    let dynamic: ELFDynamic
    /// Directories of `DT_RPATH` of the objects that led here, nearest first.
    let inheritedRpath: [String]
  }

  private mutating func collect(_ program: Request) {
    var queue = [program]
    var known: Set<String> = []
    let separators: Set<Character> = [":", " "]
    let preloaded = (search.preload ?? "").split { separators.contains($0) }.map(String.init)
    var needs = preloaded.map { (name: $0, by: program) }
    var next = 0
    while true {
      for (name, requester) in needs where known.insert(name).inserted {
        guard objects.count < Self.objectLimit,
          let path = locate(name, for: requester), let file = try? ELFFile(path: path)
        else { continue }
        let dynamic = file.dynamic()
        let ownName = dynamic.soname ?? Self.lastPart(path)
        guard known.insert(ownName).inserted || ownName == name else { continue }
        objects.append(Object(path: path, name: ownName))
        queue.append(
          Request(path: path, dynamic: dynamic, inheritedRpath: Self.rpath(of: requester)))
      }
      guard next < queue.count else { return }
      needs = queue[next].dynamic.needed.map { ($0, queue[next]) }
      next += 1
    }
  }

  /// Directories searched before `LD_LIBRARY_PATH` for what an object needs: its own `DT_RPATH`
  /// and those of the objects that led to it; none where it has a `DT_RUNPATH`.
  private static func rpath(of request: Request) -> [String] {
    let own = expanded(request.dynamic.rpath, for: request.path)
    return (request.dynamic.runpath == nil ? own : []) + request.inheritedRpath
  }

  private func locate(_ name: String, for requester: Request) -> String? {
    guard !name.contains("/") else { return isUsable(name) ? name : nil }
    let early = requester.dynamic.runpath == nil ? Self.rpath(of: requester) : []
    let environment = Self.expanded(search.libraryPath, for: requester.path, separators: ":;")
    let late = Self.expanded(requester.dynamic.runpath, for: requester.path)
    return LibraryDirectories.find(
      name, in: early + environment + late, search: search, cache: cache, isUsable: isUsable)
  }

  /// The loader passes over files of another class or machine.
  private func isUsable(_ path: String) -> Bool {
    guard let file = try? ELFFile(path: path) else { return false }
    return file.machine == machine
  }

  /// Splits a list of directories and fills in what the loader fills in.
  ///
  /// `$LIB` is fixed when the loader is built: `lib64` by default, Debian's own has the triplet.
  private static func expanded(
    _ list: String?, for path: String, separators: String = ":"
  ) -> [String] {
    guard let list, !list.isEmpty else { return [] }
    let real = FileIdentity.absolutePath(of: path) ?? path
    let origin = String(real[..<(real.lastIndex(of: "/") ?? real.startIndex)])
    let triplets = Architecture.allCases.map { "lib/\($0.name)-linux-gnu" }
    return list.split(omittingEmptySubsequences: false) { separators.contains($0) }.flatMap {
      part in
      // An empty part is the current directory.
      guard !part.isEmpty else { return ["."] }
      let directory = String(part).replacingToken("ORIGIN", with: origin)
      var alternatives: [String] = []
      for library in triplets + ["lib64"] {
        let alternative = directory.replacingToken("LIB", with: library)
        if !alternatives.contains(alternative) { alternatives.append(alternative) }
      }
      return alternatives
    }
  }

  /// The file name at the end of a path.
  static func lastPart(_ path: String) -> String {
    path.lastIndex(of: "/").map { String(path[path.index(after: $0)...]) } ?? path
  }
}

extension String {
  /// The text with `$NAME` and `${NAME}` replaced.
  fileprivate func replacingToken(_ name: String, with value: String) -> String {
    var result = ""
    var rest = self[...]
    while let dollar = rest.firstIndex(of: "$") {
      result += rest[..<dollar]
      let after = rest[dollar...]
      if let match = ["${\(name)}", "$\(name)"].first(where: { after.hasPrefix($0) }) {
        result += value
        rest = after.dropFirst(match.count)
      } else {
        result += "$"
        rest = after.dropFirst()
      }
    }
    return result + rest
  }
}

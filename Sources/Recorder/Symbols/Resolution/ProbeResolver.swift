public import ProbeEvents

/// From specifications to probes, with every error found before anything is attached.
public struct ProbeResolver: Sendable {
  /// Probes, and what the user should know about them.
  public struct Resolution: Sendable {
    /// One probe a location, in the order of the specifications, then of the file offsets.
    public let probes: [Probe]
    /// Remarks that are no errors: a library that may never be mapped, functions of one name.
    public let notes: [String]
  }

  private let command: [String]
  private let defaultPath: String?
  private let mappedFiles: [String]
  private let search: SymbolSearch
  private let wildcardLimit: Int

  /// A resolver for a recording.
  ///
  /// - Parameters:
  ///   - command: the words of the launched command; empty when processes are attached to.
  ///   - defaultPath: the file of `-x`, for specifications that name none.
  ///   - mappedFiles: paths of files that attached processes have mapped; bare library names are
  ///     looked up among them.
  ///   - search: where files are looked for.
  ///   - wildcardLimit: the most functions one pattern may match.
  public init(
    command: [String], defaultPath: String? = nil, mappedFiles: [String] = [],
    search: SymbolSearch = .host(), wildcardLimit: Int = 512
  ) {
    self.command = command
    self.defaultPath = defaultPath
    self.mappedFiles = mappedFiles
    self.search = search
    self.wildcardLimit = wildcardLimit
  }

  /// The probes that the specifications ask for.
  ///
  /// A location named more than once, by aliases or through links, is one probe; it wants returns
  /// if any of its specifications does.
  public func resolve(
    _ specifications: [ProbeSpecification]
  ) throws(ProbeResolutionError) -> [Probe] {
    try resolution(of: specifications).probes
  }

  /// The probes that the specifications ask for, with remarks.
  public func resolution(
    of specifications: [ProbeSpecification]
  ) throws(ProbeResolutionError) -> Resolution {
    var work = Work(
      locator: TargetLocator(
        command: command, defaultPath: defaultPath, mappedFiles: mappedFiles, search: search),
      search: search, wildcardLimit: wildcardLimit)
    var failures: [ProbeResolutionError.Failure] = []
    for specification in specifications {
      do {
        try work.add(specification)
      } catch {
        failures.append(.init(specification: specification.text, problem: error))
      }
    }
    guard failures.isEmpty else { throw ProbeResolutionError(failures: failures) }
    return Resolution(probes: work.probes, notes: work.notes.map(\.printable))
  }
}

/// One resolution on its way: files read so far and probes found so far.
private struct Work {
  let locator: TargetLocator
  let search: SymbolSearch
  let wildcardLimit: Int
  private(set) var probes: [Probe] = []
  private(set) var notes: [String] = []
  private var files: [FileIdentity: LoadedFile] = [:]
  private var indices: [Location: Int] = [:]

  init(locator: TargetLocator, search: SymbolSearch, wildcardLimit: Int) {
    self.locator = locator
    self.search = search
    self.wildcardLimit = wildcardLimit
  }

  /// Names in one remark.
  private static let shownLimit = 8

  /// What the kernel knows a probe by.
  private struct Location: Hashable {
    let file: FileIdentity
    let offset: UInt64
  }

  mutating func add(_ specification: ProbeSpecification) throws(ProbeProblem) {
    let found = try locator.locate(specification.target)
    var file = try load(found.path)
    // Kept also when the symbol is unknown, with the names demangled so far.
    defer { files[file.identity] = file }
    if let note = found.note, !notes.contains(note) { notes.append(note) }
    let resolved: [Probe]
    switch specification.place {
    case .fileOffset(let offset):
      do {
        resolved = [
          try PlaceCheck(file: file).probe(
            fileOffset: offset, wantsReturn: specification.wantsReturn,
            referenceCounter: specification.referenceCounter)
        ]
      } catch { throw .place(error) }
    case .symbol(let name, let offset):
      resolved = try probes(name, offset, specification, cxxOnly: false, in: &file)
    case .cxxSymbol(let name, let offset):
      resolved = try probes(name, offset, specification, cxxOnly: true, in: &file)
    case .tracepoint(let provider, let name):
      resolved = try tracepoints(provider, name, specification, in: file)
    }
    for probe in resolved { try merge(probe, in: file.identity) }
  }

  private mutating func load(_ path: String) throws(ProbeProblem) -> LoadedFile {
    if let identity = FileIdentity(path: path), let known = files[identity] { return known }
    return try LoadedFile(path: path, search: search)
  }

  private mutating func probes(
    _ name: String, _ offset: UInt64, _ specification: ProbeSpecification, cxxOnly: Bool,
    in file: inout LoadedFile
  ) throws(ProbeProblem) -> [Probe] {
    let locator = locator
    let lookup = SymbolLookup(limit: wildcardLimit) { locator.library(defining: $0) }
    let found = try lookup.find(name, cxxOnly: cxxOnly, in: &file)
    let check = PlaceCheck(file: file)
    let result = try taken(
      found.functions, isPattern: found.isPattern, specification, name: \.displayName
    ) { symbol throws(PlaceProblem) in
      try check.probe(symbol, offset: offset, wantsReturn: specification.wantsReturn)
    }
    guard !result.isEmpty else {
      throw .wildcardMatchesNothing(path: file.path, pattern: name)
    }
    let locations = Set(result.map(\.fileOffset)).count
    if locations > 1, !found.isPattern {
      notes.append("\(specification.text): \(locations) functions of that name, all are probed")
    }
    // Of aliases at one place the table's first is kept, so its order must survive.
    return result.enumerated()
      .sorted { ($0.element.fileOffset, $0.offset) < ($1.element.fileOffset, $1.offset) }
      .map(\.element)
  }

  /// The tracepoints of a name, all their places; `*` in provider or name stands for any text.
  private mutating func tracepoints(
    _ provider: String?, _ name: String, _ specification: ProbeSpecification, in file: LoadedFile
  ) throws(ProbeProblem) -> [Probe] {
    let all = file.tracepoints()
    let (wantedProvider, wantedName) = (Wildcard(provider ?? "*"), Wildcard(name))
    let found = all.filter {
      wantedProvider.matches($0.provider) && wantedName.matches($0.name)
    }
    let written = provider.map { $0 + ":" + name } ?? name
    guard !found.isEmpty else {
      let others = Set(all.map(\.displayName)).sorted()
      throw .unknownTracepoint(
        path: file.path, name: written,
        others: others.prefix(Self.shownLimit) + (others.count > Self.shownLimit ? ["more"] : []))
    }
    guard found.count <= wildcardLimit else {
      throw .wildcardMatchesTooMuch(
        path: file.path, pattern: written, count: found.count, limit: wildcardLimit)
    }
    let check = PlaceCheck(file: file)
    let result = try taken(
      found, isPattern: written.contains("*"), specification, name: \.displayName
    ) { tracepoint throws(PlaceProblem) in
      try check.probe(tracepoint)
    }
    guard !result.isEmpty else {
      throw .wildcardMatchesNothing(path: file.path, pattern: written)
    }
    return result.sorted { $0.fileOffset < $1.fileOffset }
  }

  /// The probes at what was found: of a pattern, where there can be any, and a note about the rest; a
  /// name must mean what it says.
  private mutating func taken<Found>(
    _ found: [Found], isPattern: Bool, _ specification: ProbeSpecification,
    name: (Found) -> String, _ probe: (Found) throws(PlaceProblem) -> Probe
  ) throws(ProbeProblem) -> [Probe] {
    var result: [Probe] = []
    var skipped: [String] = []
    for place in found {
      do {
        result.append(try probe(place))
      } catch {
        guard isPattern else { throw .place(error) }
        skipped.append(name(place))
      }
    }
    if !skipped.isEmpty {
      let shown = skipped.prefix(Self.shownLimit).joined(separator: ", ")
      let more = skipped.count - Self.shownLimit
      notes.append(
        "\(specification.text): left out, since they cannot be probed: " + shown
          + (more > 0 ? " and \(more) more" : ""))
    }
    return result
  }

  private mutating func merge(_ probe: Probe, in file: FileIdentity) throws(ProbeProblem) {
    let location = Location(file: file, offset: probe.fileOffset)
    if let index = indices[location] {
      let known = probes[index].referenceCounter
      guard known == probe.referenceCounter else {
        throw .conflictingCounters(
          place: probes[index].displayName, known, probe.referenceCounter)
      }
      probes[index].wantsReturn = probes[index].wantsReturn || probe.wantsReturn
    } else {
      indices[location] = probes.count
      probes.append(probe)
    }
  }
}

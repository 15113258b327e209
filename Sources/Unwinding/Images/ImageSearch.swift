import ProbeEvents
import Recorder

/// Where the mapped files of a tape are looked for.
public struct ImageSearch: Sendable {
  /// A directory that holds the files of the recording host under their paths; nil for none. Where it
  /// has a file, that one comes first.
  public var root: String?
  /// Roots of separate debug files, each with a `.build-id` directory.
  public var debugRoots: [String]
  /// Root of perf's cache of files by build id; nil for none.
  public var perfCache: String?
  /// Asked last, with the build id in hexadecimal, for the path of the file; nil asks nobody.
  public var fetch: (@Sendable (String) -> String?)?

  /// A search in the given places.
  public init(
    root: String? = nil, debugRoots: [String] = ["/usr/lib/debug"], perfCache: String? = nil,
    fetch: (@Sendable (String) -> String?)? = nil
  ) {
    self.root = root
    self.debugRoots = debugRoots
    self.perfCache = perfCache
    self.fetch = fetch
  }

  /// Finds the file; what was there and is of another build goes to `mismatched`.
  func find(_ file: StackFile, mismatched: inout [String]) -> String? {
    guard file.path.hasPrefix("/") else { return nil }
    var places: [String] = []
    // The kernel marks a file that has gone; another may be there under its name.
    let suffix = " (deleted)"
    let path =
      file.path.hasSuffix(suffix) ? String(file.path.dropLast(suffix.count)) : file.path
    if let root { places.append(root + path) }
    places.append(path)
    let digits = hexadecimal(file.buildID)
    if file.buildID.count > 1 {
      let name = "/.build-id/" + digits.prefix(2) + "/" + digits.dropFirst(2)
      places += debugRoots.map { $0 + name }
      if let root { places.append(root + "/usr/lib/debug" + name) }
      if let perfCache { places.append(perfCache + name + "/elf") }
    }
    for place in places {
      switch state(of: place, file) {
      case .fits: return place
      case .otherBuild: mismatched.append(place)
      case .missing: break
      }
    }
    guard file.buildID.count > 1, let fetched = fetch?(digits) else { return nil }
    return state(of: fetched, file) == .fits ? fetched : nil
  }

  private enum State {
    case fits
    case otherBuild
    case missing
  }

  private func state(of path: String, _ file: StackFile) -> State {
    guard let found = try? ELFFile(path: path) else { return .missing }
    // A tape without build ids cannot tell; the path is all there is then.
    return file.buildID.isEmpty || found.buildID == file.buildID ? .fits : .otherBuild
  }
}

/// Bytes as lower-case digits.
func hexadecimal(_ bytes: [UInt8]) -> String {
  bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

import ProbeEvents

/// Numbers for files and probes, the same on both tapes: by build id where there is one, else by
/// file name, as a program may lie in another folder.
struct ComparedNames: Sendable {
  private var files: [String: Int] = [:]
  private(set) var fileNames: [String] = []
  private var probes: [String: Int] = [:]
  private(set) var probeNames: [String] = []

  mutating func number(of mapping: Mapping) -> Int {
    file(Self.key(mapping.path, mapping.buildID), name: mapping.path)
  }

  mutating func number(of probe: Probe) -> Int {
    let key =
      Self.key(probe.path, probe.buildID) + ":\(probe.fileOffset):\(probe.wantsReturn)"
    if let known = probes[key] { return known }
    probes[key] = probeNames.count
    probeNames.append(printable(probe.displayName))
    return probeNames.count - 1
  }

  private mutating func file(_ key: String, name: String) -> Int {
    if let known = files[key] { return known }
    files[key] = fileNames.count
    let last = name.split(separator: "/").last.map(String.init) ?? name
    fileNames.append(printable(last))
    return fileNames.count - 1
  }

  private static func key(_ path: String, _ buildID: [UInt8]) -> String {
    if !buildID.isEmpty { return "build id \(buildID)" }
    return path.split(separator: "/").last.map(String.init) ?? path
  }
}

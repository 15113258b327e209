/// Finds the file that holds a stripped file's symbols: by build id, then by debug link.
struct DebugFileSearch {
  /// Roots of separate debug files.
  let roots: [String]
  /// Files that were there but belong to another build.
  private(set) var mismatched: [String] = []
  /// Places looked at, in order.
  private(set) var looked: [String] = []

  /// A search under the given roots.
  init(roots: [String]) {
    self.roots = roots
  }

  /// The path of the debug file for a file at an absolute path, or nil when none fits.
  mutating func find(for file: borrowing ELFFile, at path: String) -> String? {
    let buildID = file.buildID
    if let name = Self.buildIDName(buildID) {
      for root in roots {
        let candidate = root + "/.build-id/" + name
        looked.append(candidate)
        guard FileIdentity(path: candidate) != nil else { continue }
        if Self.hasBuildID(candidate, buildID) { return candidate }
        mismatched.append(candidate)
      }
    }
    guard let link = file.debugLink else { return nil }
    let directory = path[..<(path.lastIndex(of: "/") ?? path.startIndex)]
    let places = ["\(directory)/", "\(directory)/.debug/"] + roots.map { "\($0)\(directory)/" }
    for candidate in places.map({ $0 + link.name }) where candidate != path {
      looked.append(candidate)
      guard FileIdentity(path: candidate) != nil else { continue }
      let fits =
        !buildID.isEmpty && Self.hasBuildID(candidate, buildID)
        || (buildID.isEmpty && CRC32.checksum(ofFile: candidate) == link.checksum)
      if fits { return candidate }
      mismatched.append(candidate)
    }
    return nil
  }

  /// `ab/cdef0123.debug`, the name under `.build-id`.
  private static func buildIDName(_ buildID: [UInt8]) -> String? {
    guard buildID.count > 1 else { return nil }
    let digits = buildID.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
    return digits[0] + "/" + digits.dropFirst().joined() + ".debug"
  }

  private static func hasBuildID(_ path: String, _ buildID: [UInt8]) -> Bool {
    guard let file = try? ELFFile(path: path) else { return false }
    return file.buildID == buildID
  }
}

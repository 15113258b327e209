import ProbeEvents

/// Which places of which files are probed, to ask what is next to a probe.
struct ProbeNeighbours {
  private struct Place: Hashable {
    var path: String
    var offset: UInt64
  }

  private let places: Set<Place>
  private let probesOfPath: [String: Int]

  /// The places of a probe table; nil when no file has two.
  init?(_ probes: [Probe]) {
    probesOfPath = Dictionary(probes.map { ($0.path, 1) }, uniquingKeysWith: +)
    guard probesOfPath.values.contains(where: { $0 > 1 }) else { return nil }
    places = Set(probes.map { Place(path: $0.path, offset: $0.fileOffset) })
  }

  /// Whether a distance from a probe is probed as well.
  func hasProbe(_ distance: Int64, from probe: Probe) -> Bool {
    places.contains(
      Place(path: probe.path, offset: probe.fileOffset &+ UInt64(bitPattern: distance)))
  }

  /// Whether the probe's file has another one.
  func hasAny(near probe: Probe) -> Bool { probesOfPath[probe.path, default: 0] > 1 }
}

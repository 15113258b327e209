/// Where a record's groups are, checked against the limits.
struct RecordGroups {
  struct Place {
    var range: Range<Int>
    var decodedLength: Int
  }

  private var places: [(id: RecordGroup, place: Place)] = []
  /// Unknown optional groups.
  private(set) var skipped = 0

  /// Reads a record's directory; `payload` is as long as the header says.
  init(_ header: FrameHeader, _ payload: Range<Int>) throws(TapeDamage.Reason) {
    var start = payload.lowerBound
    for group in header.groups {
      let range = start..<start + group.storedLength
      start = range.upperBound
      guard let id = RecordGroup(rawValue: group.id),
        group.encoding == FrameHeader.zstdEncoding
      else {
        if group.id & mandatoryBit != 0 { throw .unknownGroup(group.id) }
        skipped += 1
        continue
      }
      guard TapeLimits.isPossible(decoded: group.decodedLength, stored: group.storedLength) else {
        throw .overLimit
      }
      guard !places.contains(where: { $0.id == id }) else { throw .repeatedGroup(group.id) }
      places.append((id, Place(range: range, decodedLength: group.decodedLength)))
    }
  }

  /// Whether a group is there.
  func has(_ id: RecordGroup) -> Bool { places.contains { $0.id == id } }

  func place(of id: RecordGroup) throws(TapeDamage.Reason) -> Place {
    guard let found = places.first(where: { $0.id == id }) else { throw .missingGroup(id.rawValue) }
    return found.place
  }
}

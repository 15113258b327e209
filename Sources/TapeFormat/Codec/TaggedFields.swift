/// Tagged fields: `tag` varint, `length` varint, `length` bytes. Readers skip even tags that they
/// do not know and stop at odd ones, so a later writer chooses what older readers do.
enum TaggedFields {
  static func append(_ tag: UInt64, to bytes: inout [UInt8], _ fill: (inout [UInt8]) -> Void) {
    var value: [UInt8] = []
    fill(&value)
    bytes.appendVarint(tag)
    bytes.appendBlob(value)
  }

  /// Calls `take` with each field; `take` returns false for a tag it does not know. Returns how
  /// many unknown fields were skipped.
  static func read(
    _ reader: inout FieldReader,
    _ take: (UInt64, inout FieldReader) throws(TapeDamage.Reason) -> Bool
  ) throws(TapeDamage.Reason) -> Int {
    var skipped = 0
    while !reader.isAtEnd {
      let tag = try reader.varint()
      var field = try reader.section()
      if try take(tag, &field) {
        try field.finish()
      } else if tag & 1 == 1 {
        throw .unknownField(tag)
      } else {
        skipped += 1
      }
    }
    return skipped
  }
}

/// A protobuf message being written (protobuf.dev, "Encoding"): fields one after the other.
struct ProtobufMessage {
  private(set) var bytes: [UInt8] = []

  /// A field of type uint32, uint64, enum or bool.
  mutating func add(_ field: UInt64, _ value: UInt64) {
    varint(field << 3)
    varint(value)
  }

  /// A field of type int32 or int64.
  mutating func add(_ field: UInt64, signed value: Int32) {
    add(field, UInt64(bitPattern: Int64(value)))
  }

  /// A field of type string.
  mutating func add(_ field: UInt64, _ text: String) {
    varint(field << 3 | 2)
    varint(UInt64(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  /// A field that is a message itself.
  mutating func add(_ field: UInt64, _ message: ProtobufMessage) {
    varint(field << 3 | 2)
    varint(UInt64(message.bytes.count))
    bytes.append(contentsOf: message.bytes)
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}

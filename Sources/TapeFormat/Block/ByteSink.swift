/// A growing run of bytes with one owner, for a stream while it is being written.
///
/// An encoder appends to a dozen of these for each hit. As arrays they would be asked each time
/// whether somebody else holds them.
@safe struct ByteSink: ~Copyable {
  private var base: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  private(set) var count = 0

  init(capacity: Int = 1024) {
    self.capacity = max(capacity, 1)
    unsafe base = .allocate(capacity: self.capacity)
  }

  deinit {
    // Bytes need no more than their memory back, which `init` or `grow` allocated.
    unsafe base.deallocate()
  }

  @inline(__always)
  mutating func append(_ byte: UInt8) {
    if count == capacity { grow() }
    // `count` is below the capacity.
    unsafe base[count] = byte
    count &+= 1
  }

  /// Appends a number as LEB128.
  @inline(__always)
  mutating func appendVarint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }

  /// The bytes so far.
  var bytes: [UInt8] {
    // The buffer spans the bytes written, and the array copies them.
    unsafe Array(UnsafeBufferPointer(start: base, count: count))
  }

  @inline(never)
  private mutating func grow() {
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity * 2)
    // Both areas hold at least `count` bytes and do not overlap.
    unsafe larger.moveInitialize(from: base, count: count)
    unsafe base.deallocate()
    unsafe base = larger
    capacity *= 2
  }
}

/// A run of plain values in memory that somebody else keeps alive: a copy costs nothing, nothing is
/// counted, and every access is checked against the bounds.
///
/// The block codecs touch a dozen arrays for each hit. As Swift arrays these cost more in
/// uniqueness checks and reference counts than all decoding. A table is only handed down the stack
/// from ``TableMemory`` or ``HitColumns/withTables``, which outlive it.
@safe struct Table<Element: BitwiseCopyable> {
  private let base: UnsafeMutablePointer<Element>?
  let count: Int

  init(_ buffer: UnsafeMutableBufferPointer<Element>) {
    unsafe base = buffer.baseAddress
    count = buffer.count
  }

  subscript(index: Int) -> Element {
    @inline(__always) get {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
      // Within bounds, so there are elements and a base.
      return unsafe base.unsafelyUnwrapped[index]
    }
    @inline(__always) nonmutating set {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
      // Within bounds, as above.
      unsafe base.unsafelyUnwrapped[index] = newValue
    }
  }

  /// Copies eight elements.
  @inline(__always)
  func copyEight(from start: Int, to target: Table<Element>, at place: Int) {
    precondition(start >= 0 && start <= count - 8 && place >= 0 && place <= target.count - 8)
    // Both runs of eight lie within bounds.
    unsafe UnsafeMutableRawPointer(target.base.unsafelyUnwrapped + place).copyMemory(
      from: base.unsafelyUnwrapped + start, byteCount: 8 * MemoryLayout<Element>.stride)
  }

  /// Sets the first elements.
  func fill(_ length: Int, with value: Element) {
    precondition(length >= 0 && length <= count)
    guard length > 0 else { return }
    // Within bounds, as above.
    unsafe base.unsafelyUnwrapped.update(repeating: value, count: length)
  }
}

/// Memory for a table, kept until the object goes.
@safe final class TableMemory<Element: BitwiseCopyable> {
  private let buffer: UnsafeMutableBufferPointer<Element>

  init(count: Int, repeating value: Element) {
    unsafe buffer = .allocate(capacity: count)
    unsafe buffer.initialize(repeating: value)
  }

  deinit {
    unsafe buffer.deallocate()
  }

  var table: Table<Element> { unsafe Table(buffer) }
}

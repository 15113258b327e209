/// A run of plain values in memory that somebody else keeps alive: a copy costs nothing, nothing is
/// counted, and every access but the marked ones is checked against the bounds.
///
/// The block codecs touch a dozen arrays for each hit. As Swift arrays these cost more in
/// uniqueness checks and reference counts than all decoding. A table is only handed down the stack
/// from ``TableMemory`` or `HitColumns.withTables`, which outlive it.
@safe struct Table<Element: BitwiseCopyable> {
  private let base: UnsafeMutablePointer<Element>
  let count: Int

  init(_ buffer: UnsafeMutableBufferPointer<Element>) {
    // A buffer without a base has no elements, so that nothing is ever read through this one.
    unsafe base = buffer.baseAddress ?? UnsafeMutablePointer(bitPattern: 8).unsafelyUnwrapped
    count = buffer.count
  }

  subscript(index: Int) -> Element {
    @inline(__always) get {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
      // Within bounds.
      return unsafe base[index]
    }
    @inline(__always) nonmutating set {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count))
      // Within bounds.
      unsafe base[index] = newValue
    }
  }

  /// An element whose index the caller knows to be within bounds.
  @unsafe subscript(unchecked index: Int) -> Element {
    @inline(__always) get {
      assert(UInt(bitPattern: index) < UInt(bitPattern: count))
      return unsafe base[index]
    }
    @inline(__always) nonmutating set {
      assert(UInt(bitPattern: index) < UInt(bitPattern: count))
      unsafe base[index] = newValue
    }
  }

  /// Copies eight elements that the caller knows to be within bounds.
  @inline(__always)
  @unsafe func copyEight(from start: Int, to target: Table<Element>, at place: Int) {
    assert(start >= 0 && start <= count - 8 && place >= 0 && place <= target.count - 8)
    unsafe UnsafeMutableRawPointer(target.base + place).copyMemory(
      from: base + start, byteCount: 8 &* MemoryLayout<Element>.stride)
  }

  /// Eight bytes from an index on, all of which the caller knows to be within bounds, the first in
  /// the lowest bits.
  @inline(__always)
  @unsafe func eightBytes(from start: Int) -> UInt64 where Element == UInt8 {
    assert(start >= 0 && start <= count - 8)
    return unsafe UInt64(
      littleEndian: UnsafeRawPointer(base + start).loadUnaligned(as: UInt64.self))
  }

  /// Copies all elements of a span to a place.
  @inline(__always)
  func copy(_ elements: Span<Element>, to place: Int) {
    precondition(place >= 0 && elements.count <= count - place)
    // The target lies within bounds, as was just checked, and is nobody else's.
    unsafe elements.withUnsafeBufferPointer { source in
      guard let first = source.baseAddress else { return }
      unsafe (base + place).update(from: first, count: source.count)
    }
  }

  /// Copies the first elements of another table.
  func copy(_ other: Table, _ length: Int) {
    precondition(length >= 0 && length <= count && length <= other.count)
    // Both runs lie within bounds.
    unsafe base.update(from: other.base, count: length)
  }

  /// The first elements as an array.
  func array(_ length: Int) -> [Element] {
    precondition(length >= 0 && length <= count)
    // Within bounds, and the array copies them.
    return unsafe Array(UnsafeBufferPointer(start: base, count: length))
  }

  /// The elements from a place on.
  @inline(__always)
  func suffix(from place: Int) -> Table {
    precondition(place >= 0 && place <= count)
    // Within bounds.
    return unsafe Table(UnsafeMutableBufferPointer(start: base + place, count: count - place))
  }

  /// Sets the first elements. Copies what is set already, twice as much each time, which is fast in
  /// builds for debugging, too.
  func fill(_ length: Int, with value: Element) {
    precondition(length >= 0 && length <= count)
    guard length > 0 else { return }
    self[0] = value
    var done = 1
    while done < length {
      let more = min(done, length - done)
      // The elements up to `done` and the `more` after them lie within bounds and do not overlap.
      unsafe UnsafeMutableRawPointer(base + done).copyMemory(
        from: base, byteCount: more * MemoryLayout<Element>.stride)
      done += more
    }
  }
}

extension Table where Element: Equatable {
  /// The first place of a value among the elements before an end.
  @inline(__always)
  func firstIndex(of value: Element, below end: Int) -> Int? {
    precondition(end <= count)
    var index = 0
    // All places are below the end.
    while index <= end &- 4 {
      if unsafe self[unchecked: index] == value { return index }
      if unsafe self[unchecked: index &+ 1] == value { return index &+ 1 }
      if unsafe self[unchecked: index &+ 2] == value { return index &+ 2 }
      if unsafe self[unchecked: index &+ 3] == value { return index &+ 3 }
      index &+= 4
    }
    while index < end {
      if unsafe self[unchecked: index] == value { return index }
      index &+= 1
    }
    return nil
  }
}

/// A table of a power of two of slots, addressed by whatever number: only its low bits count.
struct SlotTable<Element: BitwiseCopyable> {
  private let table: Table<Element>
  private let mask: Int

  init(_ table: Table<Element>) {
    precondition(table.count > 0 && table.count & (table.count - 1) == 0)
    self.table = table
    mask = table.count - 1
  }

  subscript(index: UInt64) -> Element {
    // The mask is one less than the count, so what is left of the index is within bounds.
    @inline(__always) get {
      unsafe table[unchecked: Int(truncatingIfNeeded: index) & mask]
    }
    @inline(__always) nonmutating set {
      unsafe table[unchecked: Int(truncatingIfNeeded: index) & mask] = newValue
    }
  }
}

/// Memory for a table, kept until the object goes.
@safe final class TableMemory<Element: BitwiseCopyable> {
  private let buffer: UnsafeMutableBufferPointer<Element>

  init(count: Int, repeating value: Element) {
    unsafe buffer = .allocate(capacity: count)
    // Plain values need no more to be initialized than to be written.
    unsafe Table(buffer).fill(count, with: value)
  }

  /// Memory whose elements the caller writes before it reads them: pages that are never written take
  /// no memory.
  init(unwritten count: Int) {
    unsafe buffer = .allocate(capacity: count)
  }

  deinit {
    unsafe buffer.deallocate()
  }

  var table: Table<Element> { unsafe Table(buffer) }
}

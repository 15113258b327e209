/// A growing array of flat values with one owner, for state that every hit touches.
///
/// Unlike `Array` it never shares its storage, so that writing costs no question whether it does.
/// Every access is checked against the count.
@safe struct FlatStorage<Element: BitwiseCopyable>: ~Copyable {
  private var base: UnsafeMutablePointer<Element>
  private var capacity: Int
  private(set) var count = 0

  init() {
    capacity = 64
    unsafe base = .allocate(capacity: capacity)
  }

  deinit {
    // Elements are flat: nothing to destroy but the memory that `init` or `grow` allocated.
    unsafe base.deallocate()
  }

  @inline(__always)
  subscript(index: Int) -> Element {
    _read {
      precondition(index >= 0 && index < count)
      // `index` is below `count`, up to which all elements are initialized.
      yield unsafe base[index]
    }
    _modify {
      precondition(index >= 0 && index < count)
      // As above.
      yield unsafe &base[index]
    }
  }

  /// Adds a number of equal elements at the end.
  mutating func append(_ element: Element, count number: Int = 1) {
    precondition(number >= 0)
    if count + number > capacity { grow(to: count + number) }
    // There is room for `number` elements from `count` on.
    unsafe (base + count).initialize(repeating: element, count: number)
    count += number
  }

  private mutating func grow(to needed: Int) {
    let larger = max(needed, capacity * 2)
    let fresh = UnsafeMutablePointer<Element>.allocate(capacity: larger)
    // Both areas hold at least `count` elements and do not overlap.
    unsafe fresh.moveInitialize(from: base, count: count)
    unsafe base.deallocate()
    unsafe base = fresh
    capacity = larger
  }
}

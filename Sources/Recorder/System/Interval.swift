/// Something to be done again and again, but not more often than this.
struct Interval {
  private let nanoseconds: UInt64
  private var last: UInt64

  /// An interval that begins now.
  init(nanoseconds: UInt64) {
    self.nanoseconds = nanoseconds
    last = Syscalls.now
  }

  /// Whether it is over; if so the next one begins.
  mutating func isOver(at now: UInt64) -> Bool {
    guard now >= last, now - last >= nanoseconds else { return false }
    last = now
    return true
  }
}

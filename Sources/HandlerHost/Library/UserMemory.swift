import ProbeEvents

/// The user memory that is known while a handler works on one hit: the stack window of the hit, with
/// what the handler itself wrote there since. Nothing else: what a tape does not have is refused.
struct UserMemory {
  private var address: Address = 0
  private var words: [UInt64] = []

  /// Takes a stack window as the hit found it.
  mutating func see(_ stack: Span<UInt64>, at address: Address) {
    self.address = address
    words.removeAll(keepingCapacity: true)
    // The pointer is used inside the closure that lends it.
    unsafe stack.withUnsafeBufferPointer { unsafe words.append(contentsOf: $0) }
  }

  /// Forgets everything: the program has run on since.
  mutating func forget() {
    words.removeAll(keepingCapacity: true)
  }

  /// Copies bytes that are known whole; false, and nothing copied, where one is not.
  func read(_ from: Address, into bytes: UnsafeMutableRawBufferPointer) -> Bool {
    guard let start = offset(of: from, count: bytes.count) else { return false }
    unsafe words.withUnsafeBytes { known in
      // Bounded by `offset`: the range lies inside the words.
      unsafe bytes.copyMemory(
        from: UnsafeRawBufferPointer(rebasing: known[start..<start + bytes.count]))
    }
    return true
  }

  /// Keeps what is written into the window, as far as it lies there whole.
  mutating func write(_ to: Address, _ bytes: UnsafeRawBufferPointer) {
    guard let start = offset(of: to, count: bytes.count) else { return }
    unsafe words.withUnsafeMutableBytes { known in
      // Bounded by `offset`: the range lies inside the words.
      unsafe UnsafeMutableRawBufferPointer(rebasing: known[start..<start + bytes.count])
        .copyMemory(from: bytes)
    }
  }

  /// Where a range of bytes lies in the window, when it lies there whole.
  private func offset(of first: Address, count: Int) -> Int? {
    guard first >= address else { return nil }
    let known = UInt64(words.count) * 8
    let start = first - address
    guard start <= known, UInt64(count) <= known - start else { return nil }
    return Int(start)
  }
}

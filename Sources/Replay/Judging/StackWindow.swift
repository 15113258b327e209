import ProbeEvents

/// One hit's stack window: its words from the stack pointer upwards.
struct StackWindow {
  let stackPointer: Address
  /// Place of the first window word among those of the block.
  let first: Int
  /// Number of stack words of the task's own size.
  let wordCount: Int
  /// Whether the task runs in 32-bit user mode, where a stack word is half a window word.
  let isCompat: Bool

  @inline(__always)
  init(_ hits: HitView, _ hit: Int) {
    let range = hits.windowRange(hit)
    stackPointer = hits.stackPointer(hit)
    first = range.lowerBound
    isCompat = hits.isCompat(hit)
    wordCount = isCompat ? range.count * 2 : range.count
  }

  /// Bytes of a stack word.
  var wordSize: UInt64 { isCompat ? 4 : 8 }

  /// A stack word; `word` is below `wordCount`.
  @inline(__always)
  func word(_ word: Int, _ hits: HitView) -> UInt64 {
    guard isCompat else { return hits.word(first + word) }
    let pair = hits.word(first + word / 2)
    return word % 2 == 0 ? pair & 0xFFFF_FFFF : pair >> 32
  }

  /// Whether any word from the given one on is equal to a value.
  @inline(__always)
  func contains(_ value: UInt64, from start: Int, _ hits: HitView) -> Bool {
    guard !isCompat else { return true }
    var place = first &+ start
    let end = first &+ wordCount
    // Counted with wrap-around: a place among the words in memory cannot overflow.
    while place < end {
      if hits.word(place) == value { return true }
      place &+= 1
    }
    return false
  }

  /// Which of up to 64 words, from the given one on, are equal to a value: a bit for each.
  @inline(__always)
  func places(of value: UInt64, from start: Int, _ hits: HitView) -> UInt64 {
    let number = min(64, wordCount - start)
    var bits: UInt64 = 0
    if isCompat {
      for index in 0..<number where word(start + index, hits) == value { bits |= 1 << index }
    } else {
      for index in 0..<number {
        bits |= (hits.word(first + start + index) == value ? 1 : 0) &<< UInt64(index)
      }
    }
    return bits
  }

  /// Address of a stack word.
  @inline(__always)
  func address(_ word: Int) -> Address { stackPointer &+ UInt64(word) &* wordSize }

  /// The number of the word at an address, or nil when the window does not have it whole.
  @inline(__always)
  func place(of address: Address) -> Int? {
    guard address >= stackPointer else { return nil }
    let distance = address - stackPointer
    let place = isCompat ? distance >> 2 : distance >> 3
    return place < UInt64(wordCount) ? Int(place) : nil
  }
}

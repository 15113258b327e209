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
  init(_ hits: HitView, _ hit: Int, isCompat: Bool) {
    let range = hits.windowRange(hit)
    stackPointer = hits.stackPointer(hit)
    first = range.lowerBound
    self.isCompat = isCompat
    let length = range.upperBound &- range.lowerBound
    wordCount = isCompat ? length &* 2 : length
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

  /// How many words of a window of 64-bit words are equal to a value.
  @inline(__always)
  func count(of value: UInt64, _ hits: HitView) -> Int {
    var count = 0
    var place = first
    let end = first &+ wordCount
    // Counted with wrap-around: a place among the words in memory cannot overflow. Eight at a time,
    // which is the usual window, and without a branch, as no two windows are alike.
    while place &+ 8 <= end {
      count &+= Self.one(hits, place, value) &+ Self.one(hits, place &+ 1, value)
      count &+= Self.one(hits, place &+ 2, value) &+ Self.one(hits, place &+ 3, value)
      count &+= Self.one(hits, place &+ 4, value) &+ Self.one(hits, place &+ 5, value)
      count &+= Self.one(hits, place &+ 6, value) &+ Self.one(hits, place &+ 7, value)
      place &+= 8
    }
    while place < end {
      count &+= Self.one(hits, place, value)
      place &+= 1
    }
    return count
  }

  /// 1 for a word that is equal to a value.
  @inline(__always)
  private static func one(_ hits: HitView, _ place: Int, _ value: UInt64) -> Int {
    hits.word(place) == value ? 1 : 0
  }

  /// Which of up to 64 words, from the given one on, are equal to a value: a bit for each.
  func places(of value: UInt64, from start: Int, _ hits: HitView) -> UInt64 {
    if isCompat { return compatPlaces(of: value, from: start, hits) }
    var bits: UInt64 = 0
    for index in 0..<min(64, wordCount - start) {
      let isEqual = hits.word(first + start + index) == value
      bits |= (isEqual ? 1 : 0) &<< UInt64(index)
    }
    return bits
  }

  @inline(never)
  private func compatPlaces(of value: UInt64, from start: Int, _ hits: HitView) -> UInt64 {
    var bits: UInt64 = 0
    for index in 0..<min(64, wordCount - start) where word(start + index, hits) == value {
      bits |= 1 << index
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

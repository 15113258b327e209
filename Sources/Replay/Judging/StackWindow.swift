import ProbeEvents

/// One hit's stack window: its words from the stack pointer upwards.
struct StackWindow {
  /// The hit's place in its block.
  let hit: Int
  let stackPointer: Address
  /// Place of the first window word among those of the block.
  let first: Int
  /// Number of stack words of the task's own size.
  let wordCount: Int
  /// The mode of the task: in 32-bit user mode a stack word is half a window word.
  let mode: TaskMode

  @inline(__always)
  init(_ hits: HitView, _ hit: Int, _ mode: TaskMode) {
    self.hit = hit
    let range = hits.windowRange(hit)
    stackPointer = hits.stackPointer(hit)
    first = range.lowerBound
    self.mode = mode
    let length = range.upperBound &- range.lowerBound
    wordCount = mode.isCompat ? length &* 2 : length
  }

  /// Bytes of a stack word.
  var wordSize: UInt64 { mode.wordSize }

  /// A stack word; `word` is below `wordCount`.
  @inline(__always)
  func word(_ word: Int, _ hits: HitView) -> UInt64 {
    guard mode.isCompat else { return hits.word(first + word) }
    let pair = hits.word(first + word / 2)
    return word % 2 == 0 ? pair & 0xFFFF_FFFF : pair >> 32
  }

  /// Which words of a window of up to 64 words of 64 bits are equal to a value that is not 0: a bit
  /// for each.
  @inline(__always)
  func places(of value: UInt64, _ hits: HitView) -> UInt64 {
    // The reader has looked already, if it knew what to look for.
    if wordCount <= 8 && value == hits.markedWord { return UInt64(hits.marks(hit)) }
    return hits.places(of: value, from: first, to: first &+ wordCount)
  }

  /// Which of up to 64 words, from the given one on, are equal to a value: a bit for each.
  func places(of value: UInt64, from start: Int, _ hits: HitView) -> UInt64 {
    if mode.isCompat { return compatPlaces(of: value, from: start, hits) }
    return hits.places(of: value, from: first + start, to: first + min(start + 64, wordCount))
  }

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
    let place = mode.isCompat ? distance >> 2 : distance >> 3
    return place < UInt64(wordCount) ? Int(place) : nil
  }
}

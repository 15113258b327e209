/// Which of the stack words last seen are a certain word.
///
/// A reader that looks for one word in all windows need not look at them: few words of a window
/// change from hit to hit, and only those are compared.
struct SlotMarks {
  private let word: UInt64
  /// The mark of the word: 1, but 0 when there is no word to mark.
  private let found: UInt8
  /// A 1 for each slot that has the word, otherwise 0.
  private let slots: Table<UInt8>
  /// The marks of each hit, as ``HitColumns/marks`` has them.
  private let marks: Table<UInt8>

  /// For words that are all 0 yet; `word` is 0 when none is to be marked.
  init(of word: UInt64, _ memory: ModelMemory, marks: Table<UInt8>) {
    self.word = word
    found = word == 0 ? 0 : 1
    slots = memory.slotMarks
    self.marks = marks
    slots.fill(slots.count, with: 0)
  }

  /// 1 for the word, 0 for others.
  @inline(__always)
  private func mark(_ word: UInt64) -> UInt8 {
    word == self.word ? found : 0
  }

  /// Takes note of what is in a slot from now on; the caller knows that there is such a slot.
  @inline(__always)
  @unsafe func note(_ word: UInt64, unchecked slot: Int) {
    unsafe slots[unchecked: slot] = mark(word)
  }

  /// Marks a hit with a window of the eight words in the slots from one on; the caller knows that
  /// there are such slots and such a hit.
  @inline(__always)
  @unsafe func mark(unchecked hit: Int, slots slot: Int) {
    // The product has each byte's lowest bit in its place among the highest eight.
    let product = unsafe slots.eightBytes(from: slot) &* 0x0102_0408_1020_4080
    unsafe marks[unchecked: hit] = UInt8(truncatingIfNeeded: product >> 56)
  }

  /// Marks a hit with a window of these words.
  func mark(_ hit: Int, _ words: Table<UInt64>, _ window: Range<Int>) {
    var bits: UInt8 = 0
    for place in window.prefix(8) { bits |= mark(words[place]) << UInt8(place - window.lowerBound) }
    marks[hit] = bits
  }
}

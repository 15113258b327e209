/// Which of the stack words last seen are a certain word.
///
/// A reader that looks for one word in all windows need not look at them: few words of a window
/// change from hit to hit, and only those are compared.
struct SlotMarks {
  /// Rows of 64 slots, and one more behind them.
  static let rows = ModelMemory.wordSlots / 64 + 1

  private let word: UInt64
  /// The mark of the word: 1, but 0 when there is no word to mark.
  private let found: UInt8
  /// A bit for each slot that has the word. Rows are only written and read as wholes: to read at once
  /// what several writes left there, a processor waits until they are all done.
  private let slots: Table<UInt64>
  /// The marks of each hit, as ``HitColumns/marks`` has them.
  private let marks: Table<UInt8>

  /// For words that are all 0 yet; `word` is 0 when none is to be marked.
  init(of word: UInt64, _ memory: ModelMemory, marks: Table<UInt8>) {
    self.word = word
    found = word == 0 ? 0 : 1
    slots = memory.slotMarks
    self.marks = marks
    precondition(slots.count == Self.rows)
    slots.fill(slots.count, with: 0)
  }

  /// 1 for the word, 0 for others.
  @inline(__always)
  func mark(_ word: UInt64) -> UInt8 {
    word == self.word ? found : 0
  }

  /// Takes note of what is in a slot from now on; the caller knows that there is such a slot.
  @inline(__always)
  @unsafe func note(_ word: UInt64, unchecked slot: Int) {
    let place = UInt64(truncatingIfNeeded: slot & 63)
    let others = unsafe slots[unchecked: slot >> 6] & ~(1 &<< place)
    unsafe slots[unchecked: slot >> 6] = others | UInt64(mark(word)) &<< place
  }

  /// The marks of the words in eight slots from one on, all of which the caller knows to be there.
  @inline(__always)
  @unsafe private func eight(unchecked slot: Int) -> UInt8 {
    let place = UInt64(truncatingIfNeeded: slot & 63)
    let low = unsafe slots[unchecked: slot >> 6] &>> place
    let high = unsafe (slots[unchecked: slot >> 6 &+ 1] &<< 1) &<< (63 &- place)
    return UInt8(truncatingIfNeeded: low | high)
  }

  /// Marks a hit with a window of the eight words in the slots from one on; the caller knows that
  /// there are such slots and such a hit.
  @inline(__always)
  @unsafe func mark(unchecked hit: Int, slots slot: Int) {
    unsafe marks[unchecked: hit] = eight(unchecked: slot)
  }

  /// The same where some of the slots, a bit for each in `mask`, have words from now on whose marks
  /// are the `bits`.
  @inline(__always)
  @unsafe func mark(unchecked hit: Int, slots slot: Int, mask: UInt8, bits: UInt8) {
    let old = unsafe eight(unchecked: slot)
    let change = (old ^ bits) & mask
    unsafe marks[unchecked: hit] = old ^ change
    let place = UInt64(truncatingIfNeeded: slot & 63)
    // What does not fit into one row is in the next; no place is 64 away.
    unsafe slots[unchecked: slot >> 6] ^= UInt64(change) &<< place
    unsafe slots[unchecked: slot >> 6 &+ 1] ^= (UInt64(change) &>> 1) &>> (63 &- place)
  }

  /// Marks a hit with a window of these words.
  func mark(_ hit: Int, _ words: Table<UInt64>, _ window: Range<Int>) {
    var bits: UInt8 = 0
    for place in window.prefix(8) { bits |= mark(words[place]) << UInt8(place - window.lowerBound) }
    marks[hit] = bits
  }
}

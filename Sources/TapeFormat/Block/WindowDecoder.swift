import ProbeEvents

/// Streams -> stack windows, hit by hit; what ``JudgedDecoder`` leaves to it.
struct WindowDecoder {
  private typealias Stream = Streams.Judged

  private let columns: ColumnTables
  /// Stack words last seen; see ``JudgedModel/words``.
  private let slots: Table<UInt64>
  private let marks: SlotMarks
  private var far = FarValues()
  private var masks: Cursor
  private var codes: Cursor
  private var farCursors: FarValues.Cursors
  private var wordsEnd = 0
  /// Whether all windows so far have eight words, as those of most tapes do: then where a hit's words
  /// are can be told from its index.
  private var areAllEight = true

  init(_ cursors: [Cursor], _ columns: ColumnTables, slots: Table<UInt64>, _ marks: SlotMarks) {
    precondition(slots.count == ModelMemory.wordSlots)
    self.columns = columns
    self.slots = slots
    self.marks = marks
    masks = cursors[Stream.masks.rawValue]
    codes = cursors[Stream.codes.rawValue]
    farCursors = FarValues.Cursors(
      regions: cursors[Stream.regions.rawValue], low: cursors[Stream.lowBytes.rawValue],
      high: cursors[Stream.highBytes.rawValue])
  }

  /// Decodes the window of a hit, whose index must be below the number of hits and whose first word
  /// has a slot.
  ///
  /// Returns the first word, which the slots have at once: to read it from among the words of the
  /// window would wait until all of them are stored. Without words, that is whatever the slot has.
  @inline(__always)
  mutating func decode(
    _ hit: Int, _ length: Int, slot: Int, _ references: WordReferences, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) -> UInt64 {
    let start = wordsEnd
    guard length <= columns.words.count &- start else { throw .overLimit }
    if length == 8 && slot <= ModelMemory.wordSlots - 8 {
      let mask = try masks.byte(bytes)
      // Eight slots and eight words are left, as the conditions above say.
      unsafe slots.copyEight(from: slot, to: columns.words, at: start)
      if mask == 0 {
        unsafe marks.mark(unchecked: hit, slots: slot)
      } else if codes.remaining >= 8 && farCursors.remaining >= 8 {
        let bits = try unsafe decodeEight(unchecked: mask, start, slot, references, bytes)
        unsafe marks.mark(unchecked: hit, slots: slot, mask: mask, bits: bits)
      } else {
        try decodeSome(0..<8, mask, slot, references, bytes)
        marks.mark(hit, columns.words, start..<start &+ 8)
      }
    } else {
      areAllEight = areAllEight && length == 8
      try decodeAny(length, slot, references, bytes)
      marks.mark(hit, columns.words, start..<start &+ length)
    }
    wordsEnd = start &+ length
    // There is one more start than hits.
    unsafe columns.starts[unchecked: hit &+ 1] = UInt32(truncatingIfNeeded: wordsEnd)
    // A slot is below the power of two that the table's length is.
    return unsafe slots[unchecked: slot]
  }

  /// Decodes a window of any length.
  @inline(never)
  private mutating func decodeAny(
    _ length: Int, _ firstSlot: Int, _ references: WordReferences, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) {
    var slot = firstSlot
    var first = 0
    while first < length {
      let count = min(8, length &- first)
      let mask = try masks.byte(bytes)
      if count == 8 && slot <= ModelMemory.wordSlots - 8 {
        // Eight slots and eight words are left, as the caller and the conditions above say.
        unsafe slots.copyEight(from: slot, to: columns.words, at: wordsEnd &+ first)
        if mask != 0 {
          try decodeSome(first..<first + count, mask, slot, references, bytes)
        }
      } else {
        guard count == 8 || mask >> UInt8(count) == 0 else { throw .valueOutOfRange }
        try decodeSome(first..<first + count, mask, slot, references, bytes)
      }
      slot = (slot &+ count) & (ModelMemory.wordSlots - 1)
      first &+= count
    }
  }

  /// Decodes the mask's words of eight whose slots follow each other and that are already copied; the
  /// caller knows that eight codes and values are left. Returns the words' marks.
  @inline(__always)
  @unsafe private mutating func decodeEight(
    unchecked mask: UInt8, _ start: Int, _ slot: Int, _ references: WordReferences,
    _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) -> UInt8 {
    var rest = UInt(mask)
    var bits: UInt8 = 0
    repeat {
      let place = rest.trailingZeroBitCount
      rest &= rest &- 1
      // Each word takes one code and at most one value.
      let code = unsafe codes.byte(unchecked: bytes)
      let word =
        try code > WordReferences.sameProbeCode
        ? unsafe far.decode(unchecked: code, bytes, &farCursors)
        : referenced(code, place, references)
      // The caller has copied eight words between these very places.
      unsafe slots[unchecked: slot &+ place] = word
      unsafe columns.words[unchecked: start &+ place] = word
      bits |= marks.mark(word) &<< UInt8(truncatingIfNeeded: place)
    } while rest != 0
    return bits
  }

  /// Decodes up to eight words, wherever their slots are and however little is left.
  @inline(never)
  private mutating func decodeSome(
    _ places: Range<Int>, _ mask: UInt8, _ firstSlot: Int, _ references: WordReferences,
    _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) {
    var rest = mask
    var slot = firstSlot
    for place in places {
      if rest & 1 != 0 {
        slots[slot] = try decodeWord(place, references, bytes)
        // The slot was just found to be within bounds.
        unsafe marks.note(slots[slot], unchecked: slot)
      }
      rest >>= 1
      columns.words[wordsEnd + place] = slots[slot]
      slot = (slot + 1) & (ModelMemory.wordSlots - 1)
    }
  }

  private mutating func decodeWord(
    _ place: Int, _ references: WordReferences, _ bytes: Span<UInt8>
  ) throws(TapeDamage.Reason) -> UInt64 {
    let code = try codes.byte(bytes)
    return try code > WordReferences.sameProbeCode
      ? far.decode(code, bytes, &farCursors) : referenced(code, place, references)
  }

  /// The word that another entry has in the same place.
  @inline(__always)
  private func referenced(_ code: UInt8, _ place: Int, _ references: WordReferences) -> UInt64 {
    let reference =
      code == WordReferences.expectedCode ? references.expected : references.sameProbe
    guard areAllEight else { return columns.word(place, of: reference) }
    // References are earlier hits, by index plus one, whose words are all there.
    return unsafe reference == 0 ? 0 : columns.words[unchecked: (reference &- 1) &* 8 &+ place]
  }

  func finish(words: Int) throws(TapeDamage.Reason) {
    guard wordsEnd == words else { throw .streamTooLong }
    try masks.finish()
    try codes.finish()
    try farCursors.finish()
  }
}

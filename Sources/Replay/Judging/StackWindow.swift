import ProbeEvents

/// Where one hit's stack window is in its block's columns.
struct StackWindow {
  let stackPointer: Address
  let firstWord: Int
  /// Whether the task runs in 32-bit user mode, where a stack word is half a window word.
  let isCompat: Bool
  /// Number of stack words of the task's own size.
  let wordCount: Int

  init(_ columns: borrowing HitColumns, _ index: Int, _ architecture: Architecture) {
    stackPointer = columns.stackPointers[index]
    firstWord = Int(columns.windowStarts[index])
    isCompat = columns.flags[index].contains(.compat)
    let words = Int(columns.windowStarts[index + 1]) - firstWord
    wordCount = isCompat ? words * 2 : words
  }

  /// Bytes of a stack word.
  var wordSize: UInt64 { isCompat ? 4 : 8 }

  /// The first address above the window.
  var end: Address { address(wordCount) }

  /// How many words from the given one on are equal to a value.
  func count(of value: UInt64, from first: Int, _ columns: borrowing HitColumns) -> Int {
    var count = 0
    if isCompat {
      for word in first..<wordCount where self.word(word, columns) == value { count += 1 }
    } else {
      let words = columns.windowWords.span.extracting(firstWord + first..<firstWord + wordCount)
      for index in words.indices where words[index] == value { count += 1 }
    }
    return count
  }

  /// Address of a stack word.
  func address(_ word: Int) -> Address { stackPointer &+ UInt64(word) &* wordSize }

  /// A stack word.
  @inline(__always)
  func word(_ word: Int, _ columns: borrowing HitColumns) -> UInt64 {
    guard isCompat else { return columns.windowWords[firstWord + word] }
    let pair = columns.windowWords[firstWord + word / 2]
    return word % 2 == 0 ? pair & 0xFFFF_FFFF : pair >> 32
  }

  /// The word that lies at an address, or nil when the window does not have it.
  func word(at address: Address, _ columns: borrowing HitColumns) -> UInt64? {
    guard address >= stackPointer else { return nil }
    let distance = (address - stackPointer) / wordSize
    guard distance < UInt64(wordCount) else { return nil }
    return word(Int(distance), columns)
  }
}

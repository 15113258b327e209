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

  /// Which of up to 64 words, from the given one on, are equal to a value: a bit for each.
  func places(of value: UInt64, from first: Int, _ columns: borrowing HitColumns) -> UInt64 {
    let number = min(64, wordCount - first)
    var bits: UInt64 = 0
    if isCompat {
      for index in 0..<number where word(first + index, columns) == value { bits |= 1 << index }
    } else {
      let start = firstWord + first
      let words = columns.windowWords.span.extracting(start..<start + number)
      for index in words.indices where words[index] == value { bits |= 1 << UInt64(index) }
    }
    return bits
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

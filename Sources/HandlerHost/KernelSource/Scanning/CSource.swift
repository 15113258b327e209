/// One C file, prepared for scanning: comments and inactive conditional branches are blanked, all
/// else keeps its place, so that offsets and line numbers stay those of the file.
struct CSource {
  /// The path as messages name it, relative to the tree.
  let path: String
  /// The text that is compiled.
  let code: [UInt8]
  /// The same with the contents of strings and character constants blanked: what is scanned.
  let mask: [UInt8]

  /// Prepares a file. `defined` names the preprocessor symbols that conditionals see, all as 1.
  init(path: String, text: [UInt8], defined: Set<String>) {
    self.path = path
    var code = text
    Self.blankComments(&code)
    Conditionals.blankInactive(&code, defined: defined)
    self.code = code
    var mask = code
    Self.blankLiterals(&mask)
    self.mask = mask
  }

  /// The line number of an offset, from 1.
  func line(at offset: Int) -> Int {
    code[..<offset].count { $0 == UInt8(ascii: "\n") } + 1
  }

  private static func blankComments(_ text: inout [UInt8]) {
    var index = 0
    while index < text.count {
      let byte = text[index]
      let next = index + 1 < text.count ? text[index + 1] : 0
      if byte == UInt8(ascii: "/"), next == UInt8(ascii: "*") {
        index = blank(&text, index, endOfBlockComment(text, index + 2))
      } else if byte == UInt8(ascii: "/"), next == UInt8(ascii: "/") {
        let end = text[index...].firstIndex(of: UInt8(ascii: "\n")) ?? text.count
        index = blank(&text, index, end)
      } else if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
        index = endOfLiteral(text, index)
      } else {
        index += 1
      }
    }
  }

  private static func endOfBlockComment(_ text: [UInt8], _ start: Int) -> Int {
    var index = start
    while index + 1 < text.count {
      if text[index] == UInt8(ascii: "*"), text[index + 1] == UInt8(ascii: "/") { return index + 2 }
      index += 1
    }
    return text.count
  }

  /// Blanks a range, except for line ends, and returns its end.
  private static func blank(_ text: inout [UInt8], _ start: Int, _ end: Int) -> Int {
    for index in start..<end where text[index] != UInt8(ascii: "\n") {
      text[index] = UInt8(ascii: " ")
    }
    return end
  }

  private static func blankLiterals(_ text: inout [UInt8]) {
    var index = 0
    while index < text.count {
      let byte = text[index]
      guard byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") else {
        index += 1
        continue
      }
      let end = endOfLiteral(text, index)
      for place in index + 1..<max(index + 1, end - 1) where text[place] != UInt8(ascii: "\n") {
        text[place] = UInt8(ascii: " ")
      }
      index = end
    }
  }

  /// The place behind a string or character constant; one that does not end stops at its line's end.
  private static func endOfLiteral(_ text: [UInt8], _ start: Int) -> Int {
    var index = start + 1
    while index < text.count, text[index] != text[start], text[index] != UInt8(ascii: "\n") {
      index += text[index] == UInt8(ascii: "\\") ? 2 : 1
    }
    return min(index + 1, text.count)
  }
}

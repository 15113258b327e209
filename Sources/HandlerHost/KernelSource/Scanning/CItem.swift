/// One top-level thing of a C file.
struct CItem {
  /// What it is.
  enum Kind: Hashable {
    case macro
    case function
    /// A struct, union, enum or typedef.
    case type
    case variable
  }

  var kind: Kind
  /// What it defines: `name`, or `struct name` for a tag.
  var names: [String]
  /// Where it is in its file.
  var range: Range<Int>
  /// For a function, where its body begins.
  var body: Int
  /// Whether another definition of the same function is to be preferred.
  var isWeak: Bool
}

/// What an identifier is in a text.
struct CIdentifier {
  var name: String
  /// `struct`, `union` or `enum` when it follows one of these.
  var tag: String?
  /// Whether it names a member: after `.` or `->`.
  var isMember: Bool
}

/// Splits C text into identifiers.
enum CIdentifiers {
  static func isStart(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "_")
      || (byte | 0x20) >= UInt8(ascii: "a") && (byte | 0x20) <= UInt8(ascii: "z")
  }

  static func isPart(_ byte: UInt8) -> Bool {
    isStart(byte) || byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }

  /// The identifiers of a range of masked text, in order.
  static func all(_ mask: [UInt8], _ range: Range<Int>) -> [CIdentifier] {
    var found: [CIdentifier] = []
    var index = range.lowerBound
    var before: UInt8 = 0
    var twoBefore: UInt8 = 0
    var tag: String?
    while index < range.upperBound {
      let byte = mask[index]
      if isStart(byte) {
        var end = index
        while end < range.upperBound, isPart(mask[end]) { end += 1 }
        let name = String(decoding: mask[index..<end], as: UTF8.self)
        let isArrow = before == UInt8(ascii: ">") && twoBefore == UInt8(ascii: "-")
        found.append(
          CIdentifier(
            name: name, tag: tag, isMember: isArrow || before == UInt8(ascii: ".")))
        tag = ["struct", "union", "enum"].contains(name) ? name : nil
        (twoBefore, before) = (0, UInt8(ascii: "a"))
        index = end
      } else if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
        while index < range.upperBound, isPart(mask[index]) { index += 1 }
        (twoBefore, before) = (0, UInt8(ascii: "0"))
      } else {
        if byte != UInt8(ascii: " "), byte != UInt8(ascii: "\t"), byte != UInt8(ascii: "\n") {
          (twoBefore, before) = (before, byte)
          tag = nil
        }
        index += 1
      }
    }
    return found
  }
}

import ProbeEvents

/// Where the tokens of a hit's registers point, so that the value of one is found without asking
/// what kind of token it is: which kind comes next is anybody's guess, and a processor that guesses
/// wrong loses more time than all the rest takes.
struct RegisterSources: ~Copyable {
  private typealias Token = RegisterModel.Token

  /// Where a token's value is: in which row, and at which place, which is the register's own column
  /// where the mask has all bits and a place of the token's own where it has none.
  private struct Pointer: BitwiseCopyable {
    var row: UInt8
    var place: UInt8
    var mask: UInt8
  }

  /// Rows by token: the registers of the hits that a hit is predicted from, ...
  private static let rowCount = 6
  /// ... and the first words of its window.
  private static let windowRow = 5
  private static let tokenCount = 256

  private let pointerMemory = TableMemory(
    count: tokenCount, repeating: Pointer(row: Token.hitBefore, place: 0, mask: 0xFF))
  private let rowMemory: TableMemory<Table<UInt64>>
  private let zeroMemory = TableMemory<UInt64>(count: 64, repeating: 0)
  private let windowMemory = TableMemory<UInt64>(count: 64, repeating: 0)
  private let pointers: Table<Pointer>
  private let rows: Table<Table<UInt64>>
  /// What a hit that is not there has.
  private let zeros: Table<UInt64>
  /// A window that is shorter than tokens reach, with zeros behind it.
  private let shortWindow: Table<UInt64>
  private let width: Int
  /// How many words the window has, as far as tokens reach.
  private var windowLength = 0

  init(width: Int) {
    self.width = width
    pointers = pointerMemory.table
    zeros = zeroMemory.table
    shortWindow = windowMemory.table
    rowMemory = TableMemory(count: Self.rowCount, repeating: zeros)
    rows = rowMemory.table
    for token in Token.sameHistory...Token.entry {
      pointers[Int(token)] = Pointer(row: token, place: 0, mask: 0xFF)
    }
    for column in 0..<UInt8(RegisterFile.capacity) {
      pointers[Int(Token.otherRegister + column)] = Pointer(
        row: Token.hitBefore, place: column, mask: 0)
    }
    for place in 0..<Token.windowWords {
      pointers[Int(Token.windowWord + place)] = Pointer(
        row: UInt8(Self.windowRow), place: place, mask: 0)
    }
  }

  /// Points at what a hit's registers are predicted from.
  @inline(__always)
  mutating func aim(at references: RegisterModel.References, of hit: Int, _ model: RegisterModel) {
    rows[Int(Token.sameHistory)] = row(references.sameHistory, model)
    rows[Int(Token.sameSite)] = row(references.sameSite, model)
    rows[Int(Token.hitBefore)] = row(references.hitBefore, model)
    rows[Int(Token.entry)] = row(references.entry, model)
    let start = Int(model.columns.starts[hit])
    let end = Int(model.columns.starts[hit + 1])
    precondition(start >= 0 && start <= end && end <= model.columns.words.count)
    let words = model.columns.words.suffix(from: start)
    windowLength = min(end - start, Int(Token.windowWords))
    if windowLength == Int(Token.windowWords) {
      rows[Self.windowRow] = words
    } else {
      shortWindow.fill(Int(Token.windowWords), with: 0)
      shortWindow.copy(words, windowLength)
      rows[Self.windowRow] = shortWindow
    }
  }

  /// The registers of a hit, named by its index plus one; zeros for none.
  @inline(__always)
  private func row(_ reference: Int, _ model: RegisterModel) -> Table<UInt64> {
    if reference == 0 { return zeros }
    let row = model.registers.suffix(from: (reference - 1) * width)
    precondition(row.count >= width)
    return row
  }

  /// What a source gives for a column: 0 where the hit or word it names is not there. Sources are
  /// tokens that ``search(_:_:)`` found, or the first, `Token.hitBefore`.
  @inline(__always)
  func value(_ source: UInt8, _ column: Int) -> UInt64 {
    // There is a pointer for each token, and a row for each pointer; places in it are below the
    // width, or below the number of words that tokens name, and no row is shorter than that.
    let pointer = unsafe pointers[unchecked: Int(source)]
    let row = unsafe rows[unchecked: Int(pointer.row)]
    return unsafe row[unchecked: Int(pointer.place) &+ column & Int(pointer.mask)]
  }

  /// The lowest token that gives a value for a column; `Token.lastSource` when none does.
  @inline(never)
  func search(_ wanted: UInt64, _ column: Int) -> UInt8 {
    for token in Token.sameHistory...Token.entry where rows[Int(token)][column] == wanted {
      return token
    }
    if let other = rows[Int(Token.hitBefore)].firstIndex(of: wanted, below: width) {
      return Token.otherRegister &+ UInt8(truncatingIfNeeded: other)
    }
    // A word that is not there counts as 0.
    let place = rows[Self.windowRow].firstIndex(of: wanted, below: Int(Token.windowWords))
    return place.map { Token.windowWord &+ UInt8(truncatingIfNeeded: $0) } ?? Token.lastSource
  }
}

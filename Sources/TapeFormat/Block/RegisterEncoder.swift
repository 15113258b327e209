import ProbeEvents

/// Registers -> streams: finds for each register the lowest token that gives its value.
struct RegisterEncoder: ~Copyable {
  private typealias Stream = Streams.Registers
  private typealias Token = RegisterModel.Token

  private let model: RegisterModel
  private let width: Int
  private let rowMemory = TableMemory<Int>(count: Int(Token.entry) + 1, repeating: 0)
  /// For each token that names a hit, where that hit's registers start; below 0 for none.
  private let rows: Table<Int>
  /// The words of the hit's window that tokens name.
  private var words = 0..<0
  private var tokens: ByteSink
  private var far = FarEncoder()

  init(_ model: RegisterModel, hits: Int) {
    precondition(model.registers.count >= hits * model.width)
    self.model = model
    width = model.width
    rows = rowMemory.table
    tokens = ByteSink(capacity: hits * model.columnsCoded.count)
  }

  mutating func encode(_ hit: Int) {
    let references = model.advance(to: hit)
    note(references, hit)
    let start = hit * width
    let memory = references.slot * width
    precondition(start + width <= model.registers.count && memory + width <= model.sources.count)
    for column in model.columnsCoded {
      // Columns are below the width, so that these lie in the two runs just checked.
      let wanted = unsafe model.registers[unchecked: start &+ column]
      let last = unsafe model.sources[unchecked: memory &+ column]
      if value(last, column) == wanted {
        tokens.append(Token.lastSource)
        continue
      }
      let token = search(wanted, column)
      if token == Token.lastSource {
        tokens.append(far.encode(wanted))
      } else {
        unsafe model.sources[unchecked: memory &+ column] = token
        tokens.append(token)
      }
    }
  }

  consuming func finished() -> StreamBuffers {
    var buffers = StreamBuffers(count: Stream.allCases.count)
    let farStreams = far.streams
    buffers.streams[Stream.tokens.rawValue] = tokens.bytes
    buffers.streams[Stream.regions.rawValue] = farStreams.regions
    buffers.streams[Stream.lowBytes.rawValue] = farStreams.low
    buffers.streams[Stream.highBytes.rawValue] = farStreams.high
    return buffers
  }

  private mutating func note(_ references: RegisterModel.References, _ hit: Int) {
    rows[Int(Token.sameHistory)] = (references.sameHistory - 1) * width
    rows[Int(Token.sameSite)] = (references.sameSite - 1) * width
    rows[Int(Token.hitBefore)] = (references.hitBefore - 1) * width
    rows[Int(Token.entry)] = (references.entry - 1) * width
    let start = Int(model.columns.starts[hit])
    let end = Int(model.columns.starts[hit + 1])
    precondition(start >= 0 && start <= end && end <= model.columns.words.count)
    words = start..<min(end, start + Int(Token.windowWords))
  }

  /// What a source gives for a column: 0 where the hit or word it names is not there. Sources are
  /// tokens that were found here, or the first, `Token.hitBefore`.
  @inline(__always)
  private func value(_ source: UInt8, _ column: Int) -> UInt64 {
    if source <= Token.entry { return register(Int(source), column) }
    if source < Token.windowWord {
      return register(Int(Token.hitBefore), Int(source &- Token.otherRegister))
    }
    let word = words.lowerBound &+ Int(source &- Token.windowWord)
    // Within the window, which lies within the words.
    return unsafe word < words.upperBound ? model.columns.words[unchecked: word] : 0
  }

  @inline(__always)
  private func register(_ row: Int, _ column: Int) -> UInt64 {
    let start = rows[row]
    return start < 0 ? 0 : model.registers[start &+ column]
  }

  /// The lowest token that gives a value for a column; `Token.lastSource` when none does.
  @inline(never)
  private func search(_ wanted: UInt64, _ column: Int) -> UInt8 {
    for token in Token.sameHistory...Token.entry where value(token, column) == wanted {
      return token
    }
    let start = rows[Int(Token.hitBefore)]
    // Without a hit before, all its registers are 0, which `Token.hitBefore` has given already.
    if start >= 0 {
      precondition(start + width <= model.registers.count)
      for other in 0..<width {
        // The row lies within the registers, as was just checked.
        if unsafe model.registers[unchecked: start &+ other] == wanted {
          return Token.otherRegister &+ UInt8(truncatingIfNeeded: other)
        }
      }
    }
    for place in 0..<words.count {
      // Within the window, which lies within the words.
      if unsafe model.columns.words[unchecked: words.lowerBound &+ place] == wanted {
        return Token.windowWord &+ UInt8(truncatingIfNeeded: place)
      }
    }
    // A word that is not there counts as 0.
    let length = UInt8(truncatingIfNeeded: words.count)
    return wanted == 0 && length < Token.windowWords
      ? Token.windowWord &+ length : Token.lastSource
  }
}

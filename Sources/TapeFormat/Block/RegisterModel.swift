import ProbeEvents

/// The registers that the judged columns do not hold, hit after hit, one token for each.
///
/// A token names where the value was seen before. Token 0 is the most frequent: the value comes
/// from the same source as the last time at this site.
struct RegisterModel {
  /// Tokens; those from ``FarValues`` follow.
  enum Token {
    static let lastSource: UInt8 = 0
    /// The same register in the last hit with the same history.
    static let sameHistory: UInt8 = 1
    /// The same register in the last hit at the same site.
    static let sameSite: UInt8 = 2
    /// The same register in the thread's hit before.
    static let hitBefore: UInt8 = 3
    /// The same register in the entry that this return answers.
    static let entry: UInt8 = 4
    /// From here: a register of the thread's hit before, by column.
    static let otherRegister: UInt8 = 8
    /// From here: one of the first eight words of the hit's window.
    static let windowWord: UInt8 = 48
    static let windowWords: UInt8 = 8
  }

  /// The hits that a hit's registers are predicted from, named by index plus one; 0 is none.
  struct References {
    var sameHistory: Int
    var sameSite: Int
    var hitBefore: Int
    var entry: Int
    /// Slot of the site in ``sources``.
    var slot: Int
  }

  /// A register of a hit, with what the hit is predicted from.
  struct Place {
    var hit: Int
    var column: Int
    var references: References
  }

  /// The columns that have tokens, ascending.
  let columnsCoded: [Int]
  /// Columns of a hit.
  let width: Int
  private let convention: CallConvention
  let columns: ColumnTables
  /// All registers, hit after hit.
  let registers: Table<UInt64>
  private let threads: Table<ThreadState>
  private let calls: OpenCalls
  private let histories: Table<UInt32>
  private let sites: SlotTable<UInt32>
  /// The last source token of each site's columns.
  let sources: Table<UInt8>

  init(
    _ memory: ModelMemory, _ layout: RegisterLayout, _ columns: ColumnTables,
    registers: Table<UInt64>, threads count: Int, hits: Int
  ) {
    memory.reset(threads: count, hits: hits)
    width = layout.count
    columnsCoded = (0..<width).filter {
      $0 != layout.instructionPointer && $0 != layout.stackPointer && $0 != layout.linkRegister
    }
    convention = CallConvention(hasLink: layout.linkRegister != nil)
    self.columns = columns
    self.registers = registers
    threads = memory.threads
    calls = OpenCalls(memory, stackPointers: columns.stackPointers)
    histories = memory.histories
    sites = SlotTable(memory.sites)
    sources = memory.sources
    sources.fill(CallContext.siteSlots * width, with: Token.hitBefore)
  }

  /// Finds a hit's references and takes note of the hit.
  @inline(__always)
  func advance(to hit: Int) -> References {
    let thread = Int(columns.threads[hit])
    let kind = columns.kinds[hit]
    let stackPointer = columns.stackPointers[hit]
    var state = threads[thread]
    var entry = 0
    switch kind {
    case .entry:
      calls.drop(below: stackPointer, &state)
      calls.push(hit, &state)
    case .return:
      entry = calls.pop(&state)
      let place = stackPointer &- convention.returnStep(columns.flags[hit])
      calls.drop(below: place, &state)
    }
    let signature = CallContext.signature(
      site: columns.site(of: hit, kind, convention), kind: kind)
    state.history = state.history << 16 | signature
    let historySlot = CallContext.historySlot(state.history)
    let references = References(
      sameHistory: Int(histories[historySlot]), sameSite: Int(sites[signature]),
      hitBefore: Int(state.hit), entry: entry, slot: Int(signature) & (CallContext.siteSlots - 1))
    state.hit = UInt32(truncatingIfNeeded: hit &+ 1)
    histories[historySlot] = state.hit
    sites[signature] = state.hit
    threads[thread] = state
    return references
  }

  /// The value of a token, if it names a source; and takes note of the source.
  @inline(__always)
  func value(of token: UInt8, _ place: Place) -> UInt64? {
    let memory = place.references.slot * width + place.column
    if token != Token.lastSource {
      guard Self.isSource(token, width) else { return nil }
      sources[memory] = token
    }
    return value(from: sources[memory], place)
  }

  /// The value that a source gives: 0 where the hit or word it names is not there.
  @inline(__always)
  private func value(from source: UInt8, _ place: Place) -> UInt64 {
    let reference: Int
    var column = place.column
    switch source {
    case Token.sameHistory: reference = place.references.sameHistory
    case Token.sameSite: reference = place.references.sameSite
    case Token.hitBefore: reference = place.references.hitBefore
    case Token.entry: reference = place.references.entry
    case Token.windowWord...:
      return columns.word(Int(source &- Token.windowWord), of: place.hit + 1)
    default:
      reference = place.references.hitBefore
      column = Int(source &- Token.otherRegister)
    }
    return reference == 0 ? 0 : registers[(reference - 1) * width + column]
  }

  @inline(__always)
  private static func isSource(_ token: UInt8, _ width: Int) -> Bool {
    switch token {
    case Token.sameHistory...Token.entry: true
    case Token.otherRegister..<Token.otherRegister &+ UInt8(truncatingIfNeeded: width): true
    case Token.windowWord..<Token.windowWord + Token.windowWords: true
    default: false
    }
  }
}

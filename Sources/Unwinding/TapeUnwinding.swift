public import ProbeEvents
public import Replay
public import TapeFormat

/// Unwinds the stacks of a whole tape that kept its stack bytes.
public struct TapeUnwinding: ~Copyable {
  /// Frames after which the stacks begin anew with the next block.
  private static let framesKept = 1 << 19

  /// The unwinder with its counts and notes.
  public private(set) var unwinder: Unwinder
  private var judge: HitJudge
  private var namer = FrameNamer()
  private var callchains: CallchainStacks
  private var isByCallchains = false

  /// Begins a tape with this header.
  public init(header: TapeHeader, search: ImageSearch) {
    self.init(header: header, search: search, engine: nil)
  }

  /// As above, with an engine of the caller's choice.
  init(header: TapeHeader, search: ImageSearch, engine: (any StackEngine)?) {
    unwinder = Unwinder(
      kernel: header.kernel, probes: header.probes, search: search, engine: engine)
    judge = HitJudge(header: header, handler: .modelOfTape)
    callchains = CallchainStacks(header: header)
  }

  /// Gives a block its stacks, in the place of those it had, and returns what the kernel's model
  /// concluded about the hits.
  ///
  /// The block must have been read with all columns, and blocks must come in the order of the tape.
  public mutating func unwind(_ columns: inout HitColumns) -> [AnnotatedConclusion] {
    if unwinder.table.nodes.count > Self.framesKept {
      unwinder.startAnew()
    }
    let conclusions = judge.conclusions(about: columns)
    columns.stacks = unwinder.stacks(of: columns, conclusions)
    columns.stackTable = unwinder.table
    columns.stackSymbols = StackSymbols()
    return conclusions
  }

  /// As ``unwind(_:)``, but when it is late the block's hits have no stacks.
  mutating func unwind(_ columns: inout HitColumns, isLate: Bool) {
    guard isLate else {
      _ = unwind(&columns)
      return
    }
    let conclusions = judge.conclusions(about: columns)
    unwinder.skip(columns, conclusions)
    columns.stacks = [StackReference](repeating: 0, count: columns.count)
  }

  /// Gives a block stacks made of the kernel's callchains. The same blocks must not be unwound, too.
  mutating func take(_ chains: CallchainStacks.Chains, into columns: inout HitColumns) {
    isByCallchains = true
    let conclusions = judge.conclusions(about: columns)
    columns.stacks = callchains.stacks(of: columns, chains, conclusions)
    columns.stackTable = callchains.table
  }

  /// The names of functions that the last block's stacks need and no block before did.
  public mutating func newSymbols() -> [StackSymbol] {
    namer.name(isByCallchains ? callchains.table : unwinder.table, unwinder.files)
  }

  /// All names so far.
  public var symbols: StackSymbols { namer.symbols }

  /// Hits are missing here.
  public mutating func noteDamage(_ damage: TapeDamage) { judge.noteDamage(damage) }
}

/// Finds the functions of frames, each once.
struct FrameNamer {
  /// A linker's names are shorter than this by far.
  private static let nameLimit = TapeLimits.symbolNameLength

  private(set) var symbols = StackSymbols()
  private var seen = 0
  private var identity: UInt64 = 0
  /// The frames looked at, by file and offset: most are in many stacks.
  private var known: [(file: UInt32, offset: UInt64)] = []
  private var index = HashIndex()

  /// Whether a frame is looked at for the first time.
  private mutating func isNew(_ frame: StackFrame) -> Bool {
    let offset = frame.lookupOffset
    let hash = Self.hash(frame.file, offset)
    if index.find(hash, { known[Int($0)] == (frame.file, offset) }) != nil { return false }
    known.append((frame.file, offset))
    index.insert(UInt32(known.count - 1), hash) { [known] in
      Self.hash(known[Int($0)].file, known[Int($0)].offset)
    }
    return true
  }

  private static func hash(_ file: UInt32, _ offset: UInt64) -> UInt64 {
    HashIndex.mix(UInt64(file), offset)
  }

  /// Names the frames that were added to a table since the last call, by file and offset.
  mutating func name(_ table: StackTable, _ store: ImageStore) -> [StackSymbol] {
    var fresh: [StackSymbol] = []
    // The table began anew; names found stay.
    if table.identity != identity {
      seen = 0
      known.removeAll(keepingCapacity: true)
      index.removeAll()
    }
    identity = table.identity
    for node in table.nodes[seen...] where isNew(node.frame) {
      guard let file = table.file(of: node.frame), let image = store.image(of: file) else {
        continue
      }
      let offset = node.frame.lookupOffset
      guard let function = image.function(atFileOffset: offset),
        function.name.utf8.count <= Self.nameLimit
      else { continue }
      let symbol = StackSymbol(
        file: file, offset: offset, start: offset - function.distance, name: function.name)
      if symbols.insert(symbol) { fresh.append(symbol) }
    }
    seen = table.nodes.count
    return fresh.sorted { ($0.file.path, $0.offset) < ($1.file.path, $1.offset) }
  }
}

import ProbeEvents

/// Registers -> streams: finds for each register the lowest token that gives its value.
struct RegisterEncoder: ~Copyable {
  private typealias Stream = Streams.Registers
  private typealias Token = RegisterModel.Token

  private let model: RegisterModel
  private let width: Int
  private let columnMemory: TableMemory<Int>
  /// The columns that have tokens.
  private let columns: Table<Int>
  private let tokenMemory: TableMemory<UInt8>
  /// One for each hit and column, all `Token.lastSource` at first: most stay that.
  private let tokens: Table<UInt8>
  private var tokenCount = 0
  private var sources: RegisterSources
  private var far = FarEncoder()

  init(_ model: RegisterModel, hits: Int) {
    precondition(model.registers.count >= hits * model.width)
    self.model = model
    width = model.width
    sources = RegisterSources(width: width)
    let coded = model.columnsCoded
    columnMemory = TableMemory(count: coded.count, repeating: 0)
    columns = columnMemory.table
    for (index, column) in coded.enumerated() { columns[index] = column }
    tokenMemory = TableMemory(count: hits * coded.count, repeating: Token.lastSource)
    tokens = tokenMemory.table
  }

  mutating func encode(_ hit: Int) {
    let references = model.advance(to: hit)
    sources.aim(at: references, of: hit, model)
    let start = hit * width
    let memory = references.slot * width
    precondition(start + width <= model.registers.count && memory + width <= model.sources.count)
    precondition(tokenCount + columns.count <= tokens.count && width <= 64)
    // All columns first: which of them are other than expected is hard to guess, and a wrong guess
    // at each one would cost more than the comparing.
    var missed: UInt64 = 0
    for index in 0..<columns.count {
      // The index is below the count, and columns are below the width, so that the rest lies in the
      // two runs just checked.
      let column = unsafe columns[unchecked: index]
      let wanted = unsafe model.registers[unchecked: start &+ column]
      let last = unsafe model.sources[unchecked: memory &+ column]
      missed |= (sources.value(last, column) == wanted ? 0 : 1) &<< UInt64(index)
    }
    while missed != 0 {
      encodeMissed(missed.trailingZeroBitCount, start: start, memory: memory)
      missed &= missed &- 1
    }
    tokenCount += columns.count
  }

  /// Encodes a column that the last source does not give, by its index among ``columns``.
  @inline(__always)
  private mutating func encodeMissed(_ index: Int, start: Int, memory: Int) {
    let column = columns[index]
    let wanted = model.registers[start &+ column]
    var token = sources.search(wanted, column)
    if token == Token.lastSource {
      token = far.encode(wanted)
    } else {
      model.sources[memory &+ column] = token
    }
    tokens[tokenCount &+ index] = token
  }

  consuming func finished() -> StreamBuffers {
    var buffers = StreamBuffers(count: Stream.allCases.count)
    let farStreams = far.streams
    buffers.streams[Stream.tokens.rawValue] = tokens.array(tokenCount)
    buffers.streams[Stream.regions.rawValue] = farStreams.regions
    buffers.streams[Stream.lowBytes.rawValue] = farStreams.low
    buffers.streams[Stream.highBytes.rawValue] = farStreams.high
    return buffers
  }
}

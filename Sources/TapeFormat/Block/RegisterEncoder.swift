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
    precondition(tokenCount + columns.count <= tokens.count)
    for index in 0..<columns.count {
      // The index is below the count, and columns are below the width, so that the rest lies in the
      // two runs just checked.
      let column = unsafe columns[unchecked: index]
      let wanted = unsafe model.registers[unchecked: start &+ column]
      let last = unsafe model.sources[unchecked: memory &+ column]
      if sources.value(last, column) != wanted {
        var token = sources.search(wanted, column)
        if token == Token.lastSource {
          token = far.encode(wanted)
        } else {
          unsafe model.sources[unchecked: memory &+ column] = token
        }
        // One of the tokens of this hit, for which there is room.
        unsafe tokens[unchecked: tokenCount &+ index] = token
      }
    }
    tokenCount += columns.count
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

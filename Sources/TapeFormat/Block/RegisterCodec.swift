import ProbeEvents

/// Registers <-> streams: encoder and decoder side by side.
enum RegisterCodec {
  private typealias Stream = Streams.Registers

  /// Encodes the registers of a whole block.
  static func encode(_ columns: HitColumns, _ layout: RegisterLayout) -> StreamBuffers {
    var model = RegisterModel(columns, layout, hits: columns.count)
    var far = FarValues()
    var farBuffers = FarValues.Buffers()
    var tokens: [UInt8] = []
    tokens.reserveCapacity(columns.count * layout.count)
    for hit in 0..<columns.count {
      let references = model.advance(to: hit, columns)
      for column in model.columnsCoded {
        let wanted = columns.registers[hit * layout.count + column]
        let place = RegisterModel.Place(hit: hit, column: column, references: references)
        let source = model.source(of: wanted, place, columns)
        tokens.append(source ?? far.encode(wanted, into: &farBuffers))
      }
    }
    var buffers = StreamBuffers(count: Stream.allCases.count)
    buffers.streams[Stream.tokens.rawValue] = tokens
    buffers.streams[Stream.regions.rawValue] = farBuffers.regions
    buffers.streams[Stream.lowBytes.rawValue] = farBuffers.low
    buffers.streams[Stream.highBytes.rawValue] = farBuffers.high
    return buffers
  }

  /// Decodes the registers of a block whose judged columns are decoded.
  static func decode(
    _ content: [UInt8], _ layout: RegisterLayout, into columns: inout HitColumns
  ) throws(TapeDamage.Reason) {
    let cursors = try Streams.split(content, count: Stream.allCases.count)
    var tokens = cursors[Stream.tokens.rawValue]
    var farCursors = FarValues.Cursors(
      regions: cursors[Stream.regions.rawValue], low: cursors[Stream.lowBytes.rawValue],
      high: cursors[Stream.highBytes.rawValue])
    var model = RegisterModel(columns, layout, hits: columns.count)
    var far = FarValues()
    // Taken out of the columns while these are read, so that neither is copied.
    var registers: [UInt64] = []
    swap(&registers, &columns.registers)
    defer { swap(&registers, &columns.registers) }
    registers.append(contentsOf: repeatElement(0, count: columns.count * layout.count))
    let bytes = content.span
    for hit in 0..<columns.count {
      let references = model.advance(to: hit, columns)
      copyJudged(hit, layout, columns, &registers)
      for column in model.columnsCoded {
        let token = try tokens.byte(bytes)
        let place = RegisterModel.Place(hit: hit, column: column, references: references)
        let known = model.value(of: token, place, columns, registers.span)
        registers[hit * layout.count + column] =
          if let known { known } else { try far.decode(token, bytes, &farCursors) }
      }
    }
    try tokens.finish()
    try farCursors.finish()
  }

  /// Puts the judged columns in their places among the registers.
  private static func copyJudged(
    _ hit: Int, _ layout: RegisterLayout, _ columns: HitColumns, _ registers: inout [UInt64]
  ) {
    let start = hit * layout.count
    registers[start + layout.instructionPointer] = columns.instructionPointers[hit]
    registers[start + layout.stackPointer] = columns.stackPointers[hit]
    if let link = layout.linkRegister { registers[start + link] = columns.linkRegisters[hit] }
  }
}

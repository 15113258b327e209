import ProbeEvents

/// Registers <-> streams. The encoder's search for sources is in ``RegisterEncoder``.
enum RegisterCodec {
  private typealias Stream = Streams.Registers

  /// Encodes the registers of a whole block.
  static func encode(
    _ block: BlockBuffer, _ layout: RegisterLayout, memory: ModelMemory
  ) -> StreamBuffers {
    let model = RegisterModel(
      memory, layout, block.columns.judged, registers: block.columns.registers,
      threads: block.threadTable.count, hits: block.count)
    var encoder = RegisterEncoder(model, hits: block.count)
    for hit in 0..<block.count { encoder.encode(hit) }
    return encoder.finished()
  }

  /// Decodes the registers of a block whose judged columns are decoded.
  static func decode(
    _ content: [UInt8], _ layout: RegisterLayout, memory: ModelMemory,
    into columns: inout HitColumns
  ) throws(TapeDamage.Reason) {
    let cursors = try Streams.split(content, count: Stream.allCases.count)
    var tokens = cursors[Stream.tokens.rawValue]
    var farCursors = FarValues.Cursors(
      regions: cursors[Stream.regions.rawValue], low: cursors[Stream.lowBytes.rawValue],
      high: cursors[Stream.highBytes.rawValue])
    let hits = columns.count
    let threads = columns.threadTable.count
    columns.registers.resize(hits * layout.count, 0)
    try columns.withRegisterTables { (tables, registers) throws(TapeDamage.Reason) in
      let model = RegisterModel(
        memory, layout, tables, registers: registers, threads: threads, hits: hits)
      var far = FarValues()
      let bytes = content.span
      for hit in 0..<hits {
        let references = model.advance(to: hit)
        copyJudged(hit, layout, tables, registers)
        for column in model.columnsCoded {
          let token = try tokens.byte(bytes)
          let place = RegisterModel.Place(hit: hit, column: column, references: references)
          let known = model.value(of: token, place)
          registers[hit * model.width + column] =
            if let known { known } else { try far.decode(token, bytes, &farCursors) }
        }
      }
      try tokens.finish()
      try farCursors.finish()
    }
  }

  /// Puts the judged columns in their places among the registers.
  @inline(__always)
  private static func copyJudged(
    _ hit: Int, _ layout: RegisterLayout, _ columns: ColumnTables, _ registers: Table<UInt64>
  ) {
    let start = hit * layout.count
    registers[start + layout.instructionPointer] = columns.instructionPointers[hit]
    registers[start + layout.stackPointer] = columns.stackPointers[hit]
    if let link = layout.linkRegister { registers[start + link] = columns.links[hit] }
  }
}

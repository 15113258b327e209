public import ProbeEvents

/// Saves what can be read of a damaged tape into a new one.
public enum TapeRepair {
  /// What a repair kept and dropped.
  public struct Report: Sendable, Hashable {
    /// Blocks kept.
    public var blocks = 0
    /// Hits kept.
    public var hits = 0
    /// The parts that could not be read, in order.
    public var dropped: [TapeDamage] = []
    /// Whether the tape has a trailer, and so the new one has, too.
    public var isComplete = false

    /// Nothing yet.
    public init() {}
  }

  /// Copies all readable blocks.
  ///
  /// In the place of each dropped part stands a `lost` side event, so that a replay does not judge
  /// past it: with the hits that the part held where that is known, else with a count of 1. The
  /// new tape has a trailer exactly when the old one has, with counts that fit what was kept.
  ///
  /// - Parameter step: what the new tape says of its origin; nil leaves it to the old one's.
  /// - Throws: ``TapeError`` when there is no tape to read or the output fails.
  public static func repair(
    from reader: inout TapeReader, to output: any TapeOutput,
    options: TapeWriterOptions = TapeWriterOptions(), step: TapeDerivation? = nil
  ) throws(TapeError) -> Report {
    var header = reader.header
    if let step { header.derivations.append(step) }
    var writer = try TapeWriter(header: header, options: options, output: output)
    var report = Report()
    var columns = HitColumns()
    var time = reader.header.startTime
    while true {
      switch try reader.next(into: &columns, selecting: .all) {
      case .block:
        try writer.append(reader.newSymbols)
        try writer.append(columns)
        time = columns.times.last ?? time
        report.blocks += 1
        report.hits += columns.count
      case .damage(let damage):
        report.dropped.append(damage)
        let lost = LostHits(count: UInt64(damage.hits ?? 1), cpu: LostHits.unknownCPU)
        try writer.append(TimedSideEvent(time: time, event: .lost(lost)))
      case .trailer(var trailer):
        trailer.entries = writer.entries
        trailer.returns = writer.returns
        trailer.lost = max(trailer.lost, writer.lost)
        try writer.finish(trailer)
        report.isComplete = true
      case .end:
        if !report.isComplete { try writer.flush() }
        return report
      }
    }
  }
}

extension TapeWriter {
  /// Appends all hits and side events of a block that was read with all columns.
  ///
  /// - Throws: when a block had to be written, what the output throws.
  public mutating func append(_ columns: HitColumns) throws(TapeError) {
    let width = layout.count
    precondition(columns.registers.count == columns.count * width)
    precondition(columns.times.count == columns.count && columns.cpus.count == columns.count)
    var nextEvent = 0
    for index in 0...columns.count {
      while nextEvent < columns.sideEvents.count, columns.sideEvents[nextEvent].beforeHit == index {
        try append(columns.sideEvents[nextEvent].event)
        nextEvent += 1
      }
      guard index < columns.count else { break }
      let window = Int(columns.windowStarts[index])..<Int(columns.windowStarts[index + 1])
      try append(
        columns.hit(index, width: width), window: columns.windowWords.span.extracting(window),
        stack: columns.stacks.isEmpty ? 0 : columns.stacks[index], of: columns.stackTable)
    }
  }
}

extension HitColumns {
  /// One hit of a block that was read with all columns; `width` is the count of its layout.
  public func hit(_ index: Int, width: Int) -> Hit {
    var registers = RegisterFile()
    for column in 0..<width { registers[column] = self.registers[index * width + column] }
    return Hit(
      kind: kinds[index], flags: flags[index], cpu: cpus[index], probe: probes[index],
      thread: threadTable[Int(threads[index])], time: times[index], function: functions[index],
      registers: registers)
  }
}

public import ProbeEvents
public import TapeFormat

/// Writes a recording to a tape.
public final class TapeRecordingSink: RecordingSink {
  /// The writer, with its counts.
  public var writer: TapeWriter { unsafe taking }

  /// One thread gives hits, one after the other, and nothing that the writer calls comes back here:
  /// there is nothing to check at each hit.
  @exclusivity(unchecked)
  private var taking: TapeWriter

  /// Begins a tape and writes its header.
  ///
  /// - Throws: what ``TapeWriter`` throws: a full disk, a closed pipe, a bad compression level.
  public init(
    header: TapeHeader, options: TapeWriterOptions = TapeWriterOptions(),
    output: any TapeOutput
  ) throws(TapeError) {
    unsafe taking = try TapeWriter(header: header, options: options, output: output)
  }

  /// Appends a hit, without its callchain.
  public func receive(
    _ hit: BareHit, registers: Span<UInt64>, window: Span<UInt64>, callchain: Span<UInt64>
  ) throws(TapeError) {
    try unsafe taking.append(hit, registers: registers, window: window)
  }

  /// Appends a side event.
  public func receive(_ event: TimedSideEvent) throws(TapeError) {
    try unsafe taking.append(event)
  }

  /// Ends the block, so that what was received is in the output.
  public func flush() throws(TapeError) {
    try unsafe taking.flush()
  }

  /// Writes the trailer, which makes the tape complete.
  public func finish(_ trailer: TapeTrailer) throws(TapeError) {
    try unsafe taking.finish(trailer)
  }
}

public import ProbeEvents
public import TapeFormat

/// Writes a recording to a tape.
public final class TapeRecordingSink: RecordingSink {
  /// The writer, with its counts.
  public private(set) var writer: TapeWriter

  /// Begins a tape and writes its header.
  ///
  /// - Throws: what ``TapeWriter`` throws: a full disk, a closed pipe, a bad compression level.
  public init(
    header: TapeHeader, options: TapeWriterOptions = TapeWriterOptions(),
    output: any TapeOutput
  ) throws(TapeError) {
    writer = try TapeWriter(header: header, options: options, output: output)
  }

  /// Appends a hit.
  public func receive(_ hit: Hit, window: Span<UInt64>) throws(TapeError) {
    try writer.append(hit, window: window)
  }

  /// Appends a side event.
  public func receive(_ event: TimedSideEvent) throws(TapeError) {
    try writer.append(event)
  }

  /// Ends the block, so that what was received is in the output.
  public func flush() throws(TapeError) {
    try writer.flush()
  }

  /// Writes the trailer, which makes the tape complete.
  public func finish(_ trailer: TapeTrailer) throws(TapeError) {
    try writer.finish(trailer)
  }
}

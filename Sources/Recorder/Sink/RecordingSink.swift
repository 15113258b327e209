public import ProbeEvents
public import TapeFormat

/// Where a recording goes. All calls come from the thread that runs the recording, in the order of
/// the tape; the order within a thread is exact.
public protocol RecordingSink: AnyObject {
  /// Takes a hit with its registers, one for each column of the architecture, and its stack window:
  /// whole words from the stack pointer upwards.
  ///
  /// - Parameter callchain: what the kernel gave, with its marks (``UserCallchain``); empty unless the
  ///   plan asks for it.
  func receive(
    _ hit: BareHit, registers: Span<UInt64>, window: Span<UInt64>, callchain: Span<UInt64>
  ) throws(TapeError)
  /// Takes everything that is not a hit.
  func receive(_ event: TimedSideEvent) throws(TapeError)
  /// Makes what was received durable; called at least every 100 ms while something comes.
  func flush() throws(TapeError)
  /// Ends the recording.
  func finish(_ trailer: TapeTrailer) throws(TapeError)
}

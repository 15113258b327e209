import ProbeEvents
public import TapeFormat

/// Scrubs whole tapes.
public enum TapeScrub {
  /// What a tape has that a scrubbed one has not. Damaged parts are not looked into.
  public static func check(_ reader: inout TapeReader) throws(TapeError) -> ScrubFindings {
    var scrubber = TapeScrubber(header: reader.header)
    var columns = HitColumns()
    while true {
      switch try reader.next(into: &columns, selecting: .all) {
      case .block: scrubber.scrub(&columns)
      case .damage, .trailer: break
      case .end: return scrubber.findings
      }
    }
  }

  /// Writes a tape without what need not be published, stamped with the step that made it. It is
  /// incomplete when the tape is.
  ///
  /// - Returns: what was taken away; nil when the tape is damaged, and must be repaired first.
  public static func scrub(
    _ reader: inout TapeReader, to output: any TapeOutput, step: TapeDerivation
  ) throws(TapeError) -> ScrubFindings? {
    var scrubber = TapeScrubber(header: reader.header)
    var header = scrubber.header
    header.derivations.append(step)
    var writer = try TapeWriter(header: header, output: output)
    var columns = HitColumns()
    while true {
      switch try reader.next(into: &columns, selecting: .all) {
      case .block:
        scrubber.scrub(&columns)
        try writer.append(columns)
      case .damage: return nil
      case .trailer(var trailer):
        trailer.endTime = scrubber.shifted(trailer.endTime)
        try writer.finish(trailer)
        return scrubber.findings
      case .end:
        try writer.flush()
        return scrubber.findings
      }
    }
  }
}

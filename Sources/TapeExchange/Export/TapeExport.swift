public import ProbeEvents
public import Replay
public import TapeFormat

/// Writes one tape in another format, block by block; memory does not grow with the tape.
///
/// Which calls begin and end where is what a handler concludes: give it the blocks as
/// `TapeReplay.annotate` hands them out, then its conclusion.
public struct TapeExport {
  private var writer: any ExportWriter
  private var follower: CallFollower

  /// Begins an export.
  public init(
    header: TapeHeader, to format: ExportFormat, weight: FoldedWeight = .calls,
    output: any TapeOutput
  ) {
    let buffer = ExportBuffer(output)
    switch format {
    case .perfScript: writer = PerfScriptWriter(header: header, buffer: buffer)
    case .folded: writer = FoldedWriter(header: header, weight: weight, buffer: buffer)
    case .chrome: writer = ChromeWriter(header: header, buffer: buffer)
    case .perfetto: writer = PerfettoWriter(header: header, buffer: buffer)
    case .json: writer = HitJSONWriter(header: header, buffer: buffer)
    }
    follower = CallFollower(probes: header.probes)
    writer.begin()
  }

  /// Writes a block of hits, all columns of it.
  ///
  /// - Parameter hits: how many of its hits there are conclusions for, nil for all: a handler that
  ///   dies says nothing about the rest.
  /// - Throws: what the output throws.
  public mutating func add(
    _ columns: HitColumns, _ conclusions: [AnnotatedConclusion], hits: Int? = nil
  ) throws(TapeError) {
    let count = min(hits ?? columns.count, columns.count)
    follower.follow(columns, count, conclusions, &writer)
    try writer.buffer.flushIfFull()
  }

  /// Writes what is left.
  ///
  /// - Throws: what the output throws.
  public mutating func finish(_ conclusion: TapeConclusion) throws(TapeError) {
    follower.finish(&writer)
    writer.end(conclusion)
    try writer.buffer.flush()
  }
}

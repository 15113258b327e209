import ProbeEvents
import Replay
import TapeFormat

/// Where the hits with their stacks go.
protocol StackTarget: AnyObject {
  func take(
    _ columns: HitColumns, _ names: [StackSymbol], _ conclusions: [AnnotatedConclusion]) throws
  func take(_ damage: TapeDamage) throws
  func finish(_ trailer: TapeTrailer) throws
  func end() throws
}

/// Prints hits, each with its frames below.
final class StackTextTarget: StackTarget {
  private var text: TapeText

  init(_ header: TapeHeader) {
    text = TapeText(header: header)
  }

  func take(
    _ columns: HitColumns, _ names: [StackSymbol], _ conclusions: [AnnotatedConclusion]
  ) throws {
    let lines = text.lines(columns, conclusions, withSideEvents: false)
    if !lines.isEmpty { try Console.print(lines.joined(separator: "\n")) }
  }

  func take(_ damage: TapeDamage) throws {}
  func finish(_ trailer: TapeTrailer) throws {}
  func end() throws {}
}

/// Writes a tape with everything the old one had, and the stacks.
final class StackTapeTarget: StackTarget {
  private var writer: TapeWriter
  private var time: UInt64

  init(_ header: TapeHeader, path: String) throws {
    writer = try TapeWriter(header: header, output: try TapeOutputArgument.open(path))
    time = header.startTime
  }

  func take(
    _ columns: HitColumns, _ names: [StackSymbol], _ conclusions: [AnnotatedConclusion]
  ) throws {
    try writer.append(names)
    try writer.append(columns)
    time = columns.times.last ?? time
  }

  /// As repair does it: nothing may be judged past the place.
  func take(_ damage: TapeDamage) throws {
    let lost = LostHits(count: UInt64(damage.hits ?? 1), cpu: LostHits.unknownCPU)
    try writer.append(TimedSideEvent(time: time, event: .lost(lost)))
  }

  func finish(_ trailer: TapeTrailer) throws {
    var trailer = trailer
    trailer.entries = writer.entries
    trailer.returns = writer.returns
    trailer.lost = max(trailer.lost, writer.lost)
    try writer.finish(trailer)
  }

  func end() throws { try writer.flush() }
}

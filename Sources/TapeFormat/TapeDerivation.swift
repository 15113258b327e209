/// Where a tape comes from that no recorder wrote: a step from one tape to the next.
public struct TapeDerivation: Sendable, Hashable {
  /// What made it, as typed, without the names of the tapes: `reduce --handler model:4.2`.
  public var command: String
  /// File name of the tape it was made from, without folders; empty when not told.
  public var source: String
  /// SHA-256 of the bytes of the tape it was made from.
  public var digest: [UInt8]

  /// A step.
  public init(command: String, source: String, digest: [UInt8]) {
    self.command = command
    self.source = source
    self.digest = digest
  }
}

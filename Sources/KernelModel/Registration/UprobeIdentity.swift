/// Which uprobe: not the place in a file, but the kernel's object for it. A probe registered after
/// the last consumer of an earlier one left is another, at the same place.
public struct UprobeIdentity: RawRepresentable, Sendable, Hashable, BitwiseCopyable {
  /// A number never used twice.
  public let rawValue: UInt64

  /// The identity with a number.
  public init(rawValue: UInt64) { self.rawValue = rawValue }
}

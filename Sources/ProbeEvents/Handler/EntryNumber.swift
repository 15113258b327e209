/// What stands for an entry while it is with a handler: its hit and its probe in one word.
///
/// A tape has at most 2^20 probes, and the hits of 2^40 are more than any has.
public enum EntryNumber {
  @usableFromInline static var probeBits: UInt64 { 24 }

  /// The number of the entry at a hit.
  @inlinable @inline(__always)
  public static func of(hit: UInt64, probe: UInt32) -> UInt64 { hit << probeBits | UInt64(probe) }

  /// The hit that was the entry.
  public static func hit(_ entry: UInt64) -> UInt64 { entry >> probeBits }

  /// The probe that was hit.
  public static func probe(_ entry: UInt64) -> UInt32 {
    UInt32(entry & (1 << probeBits - 1))
  }
}

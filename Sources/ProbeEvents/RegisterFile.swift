/// The user registers of one hit, by column of the architecture's ``RegisterLayout``.
///
/// Fixed in size for every architecture, so that a hit is a flat value; columns past the layout's
/// count are zero.
public struct RegisterFile: Sendable, BitwiseCopyable {
  /// Columns of the widest architecture.
  public static let capacity = 33

  /// Register values, by column.
  public var values: InlineArray<33, UInt64>

  /// All registers zero.
  public init() {
    values = InlineArray(repeating: 0)
  }

  /// The register in the given column.
  public subscript(column: Int) -> UInt64 {
    get { values[column] }
    set { values[column] = newValue }
  }
}

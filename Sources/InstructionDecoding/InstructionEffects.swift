/// What executing an instruction may do to the registers that a hit carries, as far as that can be
/// told without executing it.
public struct InstructionEffects: Sendable, Hashable {
  /// A bit for each column of the architecture's register layout that it may write. The instruction
  /// pointer is not among them.
  public var writtenColumns: UInt64
  /// Whether it may go on elsewhere than behind itself.
  public var changesFlow: Bool

  /// Effects.
  public init(writtenColumns: UInt64, changesFlow: Bool) {
    self.writtenColumns = writtenColumns
    self.changesFlow = changesFlow
  }

  /// Whether it may write a column.
  public func mayWrite(_ column: Int) -> Bool {
    0..<64 ~= column && writtenColumns >> UInt64(column) & 1 == 1
  }
}

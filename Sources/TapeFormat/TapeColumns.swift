/// Which columns of a block to decode.
public struct TapeColumns: OptionSet, Sendable, Hashable {
  /// The bits.
  public let rawValue: UInt8

  /// Columns from bits.
  public init(rawValue: UInt8) {
    self.rawValue = rawValue
  }

  /// What a replay judges: kinds, flags, probes, threads, instruction, stack and link registers,
  /// functions, stack windows and side events.
  public static let judged = TapeColumns(rawValue: 1)
  /// Times.
  public static let times = TapeColumns(rawValue: 2)
  /// CPUs.
  public static let cpus = TapeColumns(rawValue: 4)
  /// All registers. They are stored relative to the judged columns, which are decoded with them.
  public static let registers = TapeColumns(rawValue: 8)
  /// User stacks, where the tape has them.
  public static let stacks = TapeColumns(rawValue: 16)
  /// Everything.
  public static let all: TapeColumns = [.judged, .times, .cpus, .registers, .stacks]
}

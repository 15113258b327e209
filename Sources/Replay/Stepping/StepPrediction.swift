import ProbeEvents

/// What a task must be like at its next instruction after a probed one took effect.
struct StepPrediction {
  /// The registers, the instruction pointer among them.
  var registers: RegisterFile
  /// A bit for each column whose value is known.
  var knownColumns: UInt64
  /// The column of the flags; nil where there is none.
  var flagsColumn: Int?
  /// Words that were pushed or stored.
  var written: [StepMemory.Write]
  /// The rule of the kernel that made it so, with its function.
  var rule: String

  /// The bits of a column that are known: all, none, or of flags that the instruction computes the
  /// trap flag, which no instruction does that is not executed exactly.
  func knownBits(_ column: Int) -> UInt64 {
    if knownColumns >> UInt64(column) & 1 == 1 { return .max }
    return column == flagsColumn ? 0x100 : 0
  }
}

/// What follows from one hit.
enum StepOutcome {
  /// The task is predicted, wherever it goes.
  case predicted(StepPrediction)
  /// What the instruction does cannot be told from the tape.
  case unpredictable
  /// By the rules there is no such probe: the kernel refuses the instruction, with the number.
  case refused(errno: Int32)
}

import InstructionDecoding
import KernelModel
import ProbeEvents

/// What the processor does with the copy of a probed instruction, which is no concern of the kernel
/// model: the few instructions whose effect follows from registers and the top of the stack are
/// executed, of all others only what they leave alone is known.
struct ProcessorStep {
  /// What came of executing an instruction.
  enum Execution {
    /// Done; the columns of the bits are not known.
    case done(unknown: UInt64)
    /// It goes where the tape does not tell.
    case lost
    /// It is not one of those that are executed.
    case notExecuted
  }

  let instruction: ProbedInstruction
  let effects: InstructionEffects
  /// The instruction behind it, and its effects; nil where the bytes end before.
  let behind: (instruction: ProbedInstruction, effects: InstructionEffects)?

  /// Executes the copy: the registers, whose instruction pointer is at it, become those behind it.
  ///
  /// - Parameter scratch: the column of the register that stands for the instruction pointer.
  /// - Returns: the columns whose values are not known afterwards; nil when it cannot be told where
  ///   the task goes.
  func execute(
    _ registers: inout RegisterFile, _ memory: inout StepMemory, scratch: Int?
  ) -> UInt64? {
    switch instruction {
    case .x86(let instruction):
      return execute(instruction, &registers, &memory, scratch)
    case .arm64:
      // Nothing that changes the flow is ever stepped.
      registers[Architecture.aarch64.registerLayout.instructionPointer] &+= 4
      return effects.writtenColumns
    case .undecodable:
      return nil
    }
  }

  private func execute(
    _ instruction: X86Encoding, _ registers: inout RegisterFile, _ memory: inout StepMemory,
    _ scratch: Int?
  ) -> UInt64? {
    if let exact = ExactStep(instruction, scratch: scratch) {
      switch exact.execute(&registers, &memory) {
      case .done(let unknown): return memory.hasGuessed ? nil : unknown
      case .lost: return nil
      case .notExecuted: break
      }
    }
    if instruction.isRepeatedString { return executeOnce(instruction, &registers) }
    if instruction.opcode == [0x0f, 0x05] { return executeSystemCall(instruction, &registers) }
    guard !effects.changesFlow else { return nil }
    registers[StepColumn.ip] &+= UInt64(instruction.length)
    return effects.writtenColumns
  }

  /// One time around of a repeated move, store or load: the step ends after each.
  private func executeOnce(_ instruction: X86Encoding, _ registers: inout RegisterFile) -> UInt64? {
    guard instruction.is64Bit, !instruction.prefixes.contains(0x67) else { return nil }
    if registers[StepColumn.cx] > 0 { registers[StepColumn.cx] -= 1 }
    if registers[StepColumn.cx] == 0 { registers[StepColumn.ip] &+= UInt64(instruction.length) }
    return effects.writtenColumns & ~(1 << UInt64(StepColumn.cx))
  }

  /// The processor steps on its way back from the kernel, so that the step of a system call ends one
  /// instruction too late, behind the one that was copied along with it.
  private func executeSystemCall(
    _ instruction: X86Encoding, _ registers: inout RegisterFile
  ) -> UInt64? {
    guard instruction.is64Bit, let behind, case .x86(let next) = behind.instruction,
      !behind.effects.changesFlow, !next.isRepeatedString
    else { return nil }
    registers[StepColumn.ip] &+= UInt64(instruction.length + next.length)
    var unknown = effects.writtenColumns | behind.effects.writtenColumns
    for column in [StepColumn.ax, StepColumn.cx, StepColumn.r11] { unknown |= 1 << UInt64(column) }
    return unknown
  }
}

extension X86Encoding {
  /// A move, store or load that goes around several times.
  fileprivate var isRepeatedString: Bool {
    opcode.count == 1 && vex.isEmpty && [0xa4, 0xa5, 0xaa, 0xab, 0xac, 0xad].contains(opcode[0])
      && prefixes.contains { $0 == 0xf2 || $0 == 0xf3 }
  }
}

import InstructionDecoding
import KernelModel
import ProbeEvents

/// What the processor does with the copy of a probed instruction, which is no concern of the kernel
/// model: the few instructions whose effect follows from registers and the top of the stack are
/// executed, of all others only what they leave alone is known.
struct ProcessorStep {
  private enum Column {
    static let cx = 2
    static let sp = 7
    static let ip = 8
    static let flags = 9
    /// By register number, as instructions encode it.
    static let byNumber = [0, 2, 3, 1, 7, 6, 4, 5, 12, 13, 14, 15, 16, 17, 18, 19]
  }

  /// The flags a program can change by `popf`: status, trap, direction, nested task, alignment
  /// check, identification.
  private static let poppedFlags: UInt64 = 0x24_4dd5

  let instruction: ProbedInstruction
  let effects: InstructionEffects

  /// Executes the copy: the registers, whose instruction pointer is at it, become those behind it.
  ///
  /// - Returns: the columns whose values are not known afterwards; nil when it cannot be told where
  ///   the task goes.
  func execute(_ registers: inout RegisterFile, _ memory: inout StepMemory) -> UInt64? {
    switch instruction {
    case .x86(let instruction):
      return execute(instruction, &registers, &memory)
    case .arm64:
      // Nothing that changes the flow is ever stepped.
      registers[Architecture.aarch64.registerLayout.instructionPointer] &+= 4
      return effects.writtenColumns
    case .undecodable:
      return nil
    }
  }

  private func execute(
    _ instruction: X86Encoding, _ registers: inout RegisterFile, _ memory: inout StepMemory
  ) -> UInt64? {
    if let known = executeExactly(instruction, &registers, &memory) {
      return known && !memory.hasGuessed ? 0 : nil
    }
    let isString = [0xa4, 0xa5, 0xaa, 0xab, 0xac, 0xad].contains(instruction.opcode[0])
    let isRepeated = !instruction.prefixes.allSatisfy { $0 != 0xf2 && $0 != 0xf3 }
    if instruction.opcode.count == 1, instruction.vex.isEmpty, isString, isRepeated {
      return executeOnce(instruction, &registers)
    }
    guard !effects.changesFlow, !isSystemCall(instruction) else { return nil }
    registers[Column.ip] &+= UInt64(instruction.length)
    return effects.writtenColumns
  }

  /// One time around of a repeated move, store or load: the step ends after each.
  private func executeOnce(_ instruction: X86Encoding, _ registers: inout RegisterFile) -> UInt64? {
    guard !instruction.prefixes.contains(0x67) else { return nil }
    if registers[Column.cx] > 0 { registers[Column.cx] -= 1 }
    if registers[Column.cx] == 0 { registers[Column.ip] &+= UInt64(instruction.length) }
    return effects.writtenColumns & ~(1 << UInt64(Column.cx))
  }

  /// The step of a system call ends an instruction too late, in the copy of what follows.
  private func isSystemCall(_ instruction: X86Encoding) -> Bool {
    instruction.opcode == [0x0f, 0x05] || instruction.opcode == [0x0f, 0x34]
  }

  /// Executes what is known exactly; nil for other instructions, false when it goes nowhere known.
  private func executeExactly(
    _ instruction: X86Encoding, _ registers: inout RegisterFile, _ memory: inout StepMemory
  ) -> Bool? {
    let hasPlainForm =
      instruction.is64Bit && instruction.vex.isEmpty && instruction.opcode.count == 1
      && instruction.prefixes.allSatisfy { $0 == 0xf2 || $0 == 0xf3 || $0 == 0x3e }
    guard hasPlainForm else { return nil }
    let behind = registers[Column.ip] &+ UInt64(instruction.length)
    switch instruction.opcode[0] {
    case 0xc3, 0xc2:
      registers[Column.ip] = pop(&registers, &memory)
      registers[Column.sp] &+= UInt64(bitPattern: instruction.immediate) & 0xffff
    case 0xff:
      guard let modRM = instruction.modRM, [2, 4, 6].contains(modRM >> 3 & 7) else { return nil }
      // From memory, where it is not known.
      guard modRM >> 6 == 3 else { return modRM >> 3 & 7 == 6 ? nil : false }
      let value = registers[column(modRM & 7, instruction)]
      registers[Column.ip] = behind
      if modRM >> 3 & 7 == 2 { push(behind, &registers, &memory) }
      if modRM >> 3 & 7 == 6 {
        push(value, &registers, &memory)
      } else {
        registers[Column.ip] = value
      }
    case 0x68, 0x6a:
      push(UInt64(bitPattern: instruction.immediate), &registers, &memory)
      registers[Column.ip] = behind
    case 0x9c:
      // Without the resume and virtual-mode flags.
      push(registers[Column.flags] & ~0x3_0000, &registers, &memory)
      registers[Column.ip] = behind
    case 0x9d:
      let popped = pop(&registers, &memory) & Self.poppedFlags
      registers[Column.flags] = registers[Column.flags] & ~Self.poppedFlags | popped
      registers[Column.ip] = behind
    case 0x90:
      // Kernels that do not take it for a nop let it exchange.
      let other = column(0, instruction)
      let value = registers[other]
      registers[other] = registers[0]
      registers[0] = value
      registers[Column.ip] = behind
    case let opcode where 0x50...0x57 ~= opcode:
      push(registers[column(opcode - 0x50, instruction)], &registers, &memory)
      registers[Column.ip] = behind
    case let opcode where 0x58...0x5f ~= opcode:
      let word = pop(&registers, &memory)
      registers[column(opcode - 0x58, instruction)] = word
      registers[Column.ip] = behind
    case let opcode where 0xe0...0xe3 ~= opcode:
      registers[Column.ip] = behind
      if loops(opcode, &registers) {
        registers[Column.ip] &+= UInt64(bitPattern: instruction.immediate)
      }
    default:
      return nil
    }
    return true
  }

  /// The column of a register that three bits and the REX prefix name.
  private func column(_ number: UInt8, _ instruction: X86Encoding) -> Int {
    Column.byNumber[Int(number & 7) + (instruction.rex.map { Int($0 & 1) * 8 } ?? 0)]
  }

  private func loops(_ opcode: UInt8, _ registers: inout RegisterFile) -> Bool {
    if opcode == 0xe3 { return registers[Column.cx] == 0 }
    registers[Column.cx] &-= 1
    let isZero = registers[Column.flags] & 0x40 != 0
    return registers[Column.cx] != 0 && (opcode == 0xe2 || isZero == (opcode == 0xe1))
  }

  private func push(
    _ value: UInt64, _ registers: inout RegisterFile, _ memory: inout StepMemory
  ) {
    registers[Column.sp] &-= 8
    _ = memory.writeWord(value, at: registers[Column.sp], bytes: 8)
  }

  private func pop(_ registers: inout RegisterFile, _ memory: inout StepMemory) -> UInt64 {
    let word = memory.readWord(at: registers[Column.sp], bytes: 8) ?? 0
    registers[Column.sp] &+= 8
    return word
  }
}

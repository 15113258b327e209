import KernelModel
import ProbeEvents

/// Executes 64-bit x86 instructions whose effect is all in registers and words that a tape has.
struct ExactStep {
  /// The flags a program can change by `popf`: status, trap, direction, nested task, alignment
  /// check, identification.
  private static let poppedFlags: UInt64 = 0x24_4dd5

  private let instruction: X86Encoding
  private let operands: X86Operands
  private let size: Int

  /// Nil for instructions with prefixes that change what they do.
  init?(_ instruction: X86Encoding, scratch: Int?) {
    let hasPlainForm =
      instruction.is64Bit && instruction.vex.isEmpty && instruction.opcode.count == 1
      && instruction.prefixes.allSatisfy { $0 == 0xf2 || $0 == 0xf3 }
    guard hasPlainForm else { return nil }
    self.instruction = instruction
    operands = X86Operands(instruction: instruction, scratch: scratch)
    // Never 2, as that takes a prefix.
    size = (instruction.rex ?? 0) & 8 != 0 ? 8 : 4
  }

  private var immediate: UInt64 { UInt64(bitPattern: instruction.immediate) }

  /// Executes the instruction, or leaves everything as it is.
  func execute(
    _ registers: inout RegisterFile, _ memory: inout StepMemory
  ) -> ProcessorStep.Execution {
    let behind = registers[StepColumn.ip] &+ UInt64(instruction.length)
    if let result = executeStack(behind, &registers, &memory) { return result }
    if let result = executeMove(&registers, &memory) {
      if case .done = result { registers[StepColumn.ip] = behind }
      return result
    }
    return .notExecuted
  }

  /// Pushes, pops, calls, returns and loops; nil for others.
  private func executeStack(
    _ behind: Address, _ registers: inout RegisterFile, _ memory: inout StepMemory
  ) -> ProcessorStep.Execution? {
    switch instruction.opcode[0] {
    case 0xc3, 0xc2:
      registers[StepColumn.ip] = pop(&registers, &memory)
      registers[StepColumn.sp] &+= immediate & 0xffff
      return .done(unknown: 0)
    case 0xff:
      return executeIndirect(behind, &registers, &memory)
    case 0x68, 0x6a:
      push(immediate, &registers, &memory)
    case 0x9c:
      // Without the resume and virtual-mode flags.
      push(registers[StepColumn.flags] & ~0x3_0000, &registers, &memory)
    case 0x9d:
      let popped = pop(&registers, &memory) & Self.poppedFlags
      registers[StepColumn.flags] = registers[StepColumn.flags] & ~Self.poppedFlags | popped
    case 0x50...0x57:
      push(registers[operands.inOpcode], &registers, &memory)
    case 0x58...0x5f:
      let word = pop(&registers, &memory)
      registers[operands.inOpcode] = word
    case 0xc9:
      // Where the frame pointer leads out of the window, nothing is known of what is there.
      guard let word = memory.knownWord(at: registers[StepColumn.bp], bytes: 8) else { return nil }
      registers[StepColumn.sp] = registers[StepColumn.bp] &+ 8
      registers[StepColumn.bp] = word
    case 0xe0...0xe3:
      registers[StepColumn.ip] = behind &+ (loops(&registers) ? immediate : 0)
      return .done(unknown: 0)
    default:
      return nil
    }
    registers[StepColumn.ip] = behind
    return .done(unknown: 0)
  }

  /// Calls, jumps and pushes of a register or a word of memory; nil for what else the opcode means.
  private func executeIndirect(
    _ behind: Address, _ registers: inout RegisterFile, _ memory: inout StepMemory
  ) -> ProcessorStep.Execution? {
    let what = operands.extensionOfOpcode
    guard [2, 4, 6].contains(what) else { return nil }
    let value =
      operands.isRegister
      ? registers[operands.rm]
      : operands.address(registers).flatMap { memory.knownWord(at: $0, bytes: 8) }
    if what == 6 {
      registers[StepColumn.ip] = behind
      // A word that is not known is pushed all the same.
      if let value {
        push(value, &registers, &memory)
      } else {
        registers[StepColumn.sp] &-= 8
      }
      return .done(unknown: 0)
    }
    guard let value else { return .lost }
    if what == 2 { push(behind, &registers, &memory) }
    registers[StepColumn.ip] = value
    return .done(unknown: 0)
  }

  /// Moves, addresses, sums and differences; nil for others, and where a word is not known.
  private func executeMove(
    _ registers: inout RegisterFile, _ memory: inout StepMemory
  ) -> ProcessorStep.Execution? {
    switch instruction.opcode[0] {
    case 0x8d:
      guard let address = operands.address(registers) else { return nil }
      write(address, to: operands.reg, &registers)
    case 0x89:
      let value = registers[operands.reg]
      if operands.isRegister {
        write(value, to: operands.rm, &registers)
      } else {
        guard let address = operands.address(registers) else { return nil }
        _ = memory.writeWord(value, at: address, bytes: size)
      }
    case 0x8b:
      let value =
        operands.isRegister
        ? registers[operands.rm]
        : operands.address(registers).flatMap { memory.knownWord(at: $0, bytes: size) }
      guard let value else { return nil }
      write(value, to: operands.reg, &registers)
    case 0xb8...0xbf:
      write(immediate, to: operands.inOpcode, &registers)
    case 0x01, 0x29, 0x03, 0x2b, 0x81, 0x83:
      return executeSum(&registers)
    case 0x90:
      // Kernels that do not take it for a nop let it exchange.
      let other = operands.inOpcode
      guard size == 8 || other == StepColumn.ax else { return nil }
      let value = registers[other]
      registers[other] = registers[StepColumn.ax]
      registers[StepColumn.ax] = value
    default:
      return nil
    }
    return .done(unknown: 0)
  }

  /// Adds or subtracts registers and numbers. The flags are left unknown.
  private func executeSum(_ registers: inout RegisterFile) -> ProcessorStep.Execution? {
    guard operands.isRegister else { return nil }
    let opcode = instruction.opcode[0]
    let hasNumber = opcode == 0x81 || opcode == 0x83
    let isReversed = opcode == 0x03 || opcode == 0x2b
    let isDifference: Bool
    if hasNumber {
      guard [0, 5].contains(operands.extensionOfOpcode) else { return nil }
      isDifference = operands.extensionOfOpcode == 5
    } else {
      isDifference = opcode == 0x29 || opcode == 0x2b
    }
    let target = isReversed ? operands.reg : operands.rm
    let value =
      hasNumber ? immediate : registers[isReversed ? operands.rm : operands.reg]
    write(
      isDifference ? registers[target] &- value : registers[target] &+ value, to: target,
      &registers)
    return .done(unknown: 1 << UInt64(StepColumn.flags))
  }

  /// Writes a register; the upper half of it becomes zero where the instruction works on the lower.
  private func write(_ value: UInt64, to column: Int, _ registers: inout RegisterFile) {
    registers[column] = size == 8 ? value : value & 0xffff_ffff
  }

  private func loops(_ registers: inout RegisterFile) -> Bool {
    let opcode = instruction.opcode[0]
    if opcode == 0xe3 { return registers[StepColumn.cx] == 0 }
    registers[StepColumn.cx] &-= 1
    let isZero = registers[StepColumn.flags] & 0x40 != 0
    return registers[StepColumn.cx] != 0 && (opcode == 0xe2 || isZero == (opcode == 0xe1))
  }

  private func push(
    _ value: UInt64, _ registers: inout RegisterFile, _ memory: inout StepMemory
  ) {
    registers[StepColumn.sp] &-= 8
    _ = memory.writeWord(value, at: registers[StepColumn.sp], bytes: 8)
  }

  private func pop(_ registers: inout RegisterFile, _ memory: inout StepMemory) -> UInt64 {
    let word = memory.readWord(at: registers[StepColumn.sp], bytes: 8) ?? 0
    registers[StepColumn.sp] &+= 8
    return word
  }
}

internal import ProbeEvents

extension X86_64 {
  /// Emulates the instruction instead of stepping it; false when it has to be executed.
  ///
  /// Kernel: arch/x86/kernel/uprobes.c arch_uprobe_skip_sstep(), branch_emulate_op(),
  /// push_emulate_op()
  static func emulate(
    _ treatment: X86Treatment, registers: inout RegisterFile, wordBytes: Int,
    memory: inout some UserMemory
  ) -> Bool {
    let length = UInt64(treatment.length)
    switch treatment.execution {
    case .branch(let opcode, let offset):
      registers[X86Register.ip] &+= length
      if isTaken(opcode, flags: registers[X86Register.flags]) {
        registers[X86Register.ip] &+= UInt64(bitPattern: offset)
      }
      return true
    case .call(let offset):
      // Advanced even if the push fails; executing the copy sets it anyway.
      registers[X86Register.ip] &+= length
      guard
        push(registers[X86Register.ip], registers: &registers, wordBytes: wordBytes, &memory)
      else { return false }
      registers[X86Register.ip] &+= UInt64(bitPattern: offset)
      return true
    case .push(let column):
      guard push(registers[column], registers: &registers, wordBytes: wordBytes, &memory) else {
        return false
      }
      registers[X86Register.ip] &+= length
      return true
    case .step:
      return false
    }
  }

  /// Pushes a word; the stack pointer moves only if it can be written.
  ///
  /// Kernel: arch/x86/kernel/uprobes.c emulate_push_stack()
  static func push(
    _ value: UInt64, registers: inout RegisterFile, wordBytes: Int, _ memory: inout some UserMemory
  ) -> Bool {
    let below = registers[X86Register.sp] &- UInt64(wordBytes)
    guard memory.writeWord(value, at: below, bytes: wordBytes) else { return false }
    registers[X86Register.sp] = below
    return true
  }

  /// Whether a branch is taken. Opcodes that are no conditional jump are.
  ///
  /// Kernel: arch/x86/kernel/uprobes.c check_jmp_cond()
  static func isTaken(_ opcode: UInt8, flags: UInt64) -> Bool {
    let carry = flags & X86Register.carryFlag != 0
    let zero = flags & X86Register.zeroFlag != 0
    let sign = flags & X86Register.signFlag != 0
    let overflow = flags & X86Register.overflowFlag != 0
    let parity = flags & X86Register.parityFlag != 0
    return switch opcode {
    case 0x70: overflow
    case 0x71: !overflow
    case 0x72: carry
    case 0x73: !carry
    case 0x74: zero
    case 0x75: !zero
    case 0x76: carry || zero
    case 0x77: !(carry || zero)
    case 0x78: sign
    case 0x79: !sign
    case 0x7a: parity
    case 0x7b: !parity
    case 0x7c: sign != overflow
    case 0x7d: sign == overflow
    case 0x7e: zero || sign != overflow
    case 0x7f: !zero && sign == overflow
    default: true
    }
  }
}

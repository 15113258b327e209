internal import ProbeEvents

extension AArch64 {
  static let linkRegister = 30
  static let programCounter = 32

  /// Does what the instruction would do, in the registers.
  ///
  /// - Parameter state: the processor state, whose top four bits are the condition flags.
  ///
  /// Kernel: arch/arm64/kernel/probes/simulate-insn.c
  static func simulate(
    _ instruction: ARM64Instruction, as simulation: ARM64Instruction.Simulation,
    registers: inout RegisterFile, state: UInt64, memory: inout some UserMemory
  ) {
    let word = instruction.rawValue
    let address = registers[programCounter]
    let next = address &+ 4
    registers[programCounter] = next
    switch simulation {
    case .nop:
      break
    case .conditionalBranch:
      if isTaken(condition: word & 0xf, state) {
        registers[programCounter] = address &+ instruction.offset(from: 5, bits: 19)
      }
    case .compareBranch:
      var value = read(word & 0x1f, registers)
      if word >> 31 == 0 { value &= 0xffff_ffff }
      if (value != 0) == (word >> 24 & 1 == 1) {
        registers[programCounter] = address &+ instruction.offset(from: 5, bits: 19)
      }
    case .testBranch:
      let bit = UInt64((word >> 31) << 5 | word >> 19 & 0x1f)
      if read(word & 0x1f, registers) >> bit & 1 == UInt64(word >> 24 & 1) {
        registers[programCounter] = address &+ instruction.offset(from: 5, bits: 14)
      }
    case .address:
      // The two lowest bits of the distance are apart from the others.
      let distance = instruction.offset(from: 5, bits: 19) &+ UInt64(word >> 29 & 3)
      let value =
        word >> 31 == 1 ? (address & ~0xfff) &+ (distance << 12) : address &+ distance
      write(value, to: word & 0x1f, &registers)
    case .branch:
      if word >> 31 == 1 { registers[linkRegister] = next }
      registers[programCounter] = address &+ instruction.offset(from: 0, bits: 26)
    case .branchRegister:
      // Read before the link register is written, for `blr x30`.
      registers[programCounter] = read(word >> 5 & 0x1f, registers)
      if word >> 21 & 3 == 1 { registers[linkRegister] = next }
    case .loadLiteral:
      let bytes = word >> 30 & 1 == 1 ? 8 : 4
      let value = memory.readWord(
        at: address &+ instruction.offset(from: 5, bits: 19), bytes: bytes)
      if let value { write(value, to: word & 0x1f, &registers) }
    case .loadSignedLiteral:
      let value = memory.readWord(at: address &+ instruction.offset(from: 5, bits: 19), bytes: 4)
      if let value {
        let signed = Int64(Int32(truncatingIfNeeded: value))
        write(UInt64(bitPattern: signed), to: word & 0x1f, &registers)
      }
    }
  }

  /// Register 31 reads as zero.
  private static func read(_ number: UInt32, _ registers: RegisterFile) -> UInt64 {
    number == 31 ? 0 : registers[Int(number)]
  }

  /// Register 31 takes nothing.
  private static func write(_ value: UInt64, to number: UInt32, _ registers: inout RegisterFile) {
    if number != 31 { registers[Int(number)] = value }
  }

  /// Whether a condition holds. The last two always do.
  ///
  /// Kernel: arch/arm64/kernel/traps.c aarch32_opcode_cond_checks
  static func isTaken(condition: UInt32, _ state: UInt64) -> Bool {
    let negative = state >> 31 & 1 == 1
    let zero = state >> 30 & 1 == 1
    let carry = state >> 29 & 1 == 1
    let overflow = state >> 28 & 1 == 1
    let holds =
      switch condition >> 1 {
      case 0: zero
      case 1: carry
      case 2: negative
      case 3: overflow
      case 4: carry && !zero
      case 5: negative == overflow
      case 6: negative == overflow && !zero
      default: true
      }
    return condition & 1 == 1 && condition >> 1 != 7 ? !holds : holds
  }
}

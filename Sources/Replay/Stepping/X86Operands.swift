import KernelModel
import ProbeEvents

/// The operands of a 64-bit x86 instruction without segment or size prefixes.
struct X86Operands {
  let instruction: X86Encoding
  /// The column of the register that stands for the instruction pointer in the copy.
  let scratch: Int?

  private var rex: UInt8 { instruction.rex ?? 0 }

  /// Whether ModRM names a register instead of memory.
  var isRegister: Bool { (instruction.modRM ?? 0) >> 6 == 3 }

  /// The part of ModRM that extends the opcode.
  var extensionOfOpcode: UInt8 { (instruction.modRM ?? 0) >> 3 & 7 }

  /// The column of the register that ModRM's `reg` names.
  var reg: Int { StepColumn.numbered(extensionOfOpcode | (rex & 4) << 1) }

  /// The column of the register that ModRM's `rm` names.
  var rm: Int { StepColumn.numbered((instruction.modRM ?? 0) & 7 | (rex & 1) << 3) }

  /// The column of the register in the lowest bits of the opcode.
  var inOpcode: Int { StepColumn.numbered(instruction.opcode[0] & 7 | (rex & 1) << 3) }

  /// Where the memory operand is; nil for a register.
  func address(_ registers: RegisterFile) -> Address? {
    guard let modRM = instruction.modRM, !isRegister else { return nil }
    var address = UInt64(bitPattern: instruction.displacement)
    let hasNoBase = modRM >> 6 == 0
    guard modRM & 7 == 4, let sib = instruction.sib else {
      guard hasNoBase && modRM & 7 == 5 else { return address &+ registers[rm] }
      return scratch.map { address &+ registers[$0] }
    }
    if !(hasNoBase && sib & 7 == 5) {
      address &+= registers[StepColumn.numbered(sib & 7 | (rex & 1) << 3)]
    }
    let index = sib >> 3 & 7 | (rex & 2) << 2
    // The number of the stack pointer stands for none.
    if index != 4 { address &+= registers[StepColumn.numbered(index)] << UInt64(sib >> 6) }
    return address
  }
}

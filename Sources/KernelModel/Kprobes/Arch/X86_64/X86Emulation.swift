internal import ProbeEvents

/// An instruction the kernel does instead of stepping it, because it would not come back to the
/// breakpoint behind its copy, or would let interrupts in.
///
/// Kernel: arch/x86/kernel/kprobes/core.c prepare_emulation() (5.13)
public enum X86Emulation: Sendable, Hashable {
  /// CLI, STI, PUSHF, POPF, by opcode.
  case interruptFlag(UInt8)
  /// RET. Its operand is ignored, and a far one is taken for a near one.
  case `return`
  /// CALL.
  case call(Int32)
  /// JMP.
  case jump(Int32)
  /// A conditional jump, by the low four bits of its opcode.
  case conditionalJump(UInt8, Int32)
  /// LOOPNE (0), LOOPE (1), LOOP (2), JCXZ (3), with the size of the counter in bytes.
  case loop(UInt8, counterBytes: Int, Int32)
  /// CALL to a register.
  case indirectCall(Int)
  /// JMP to a register.
  case indirectJump(Int)

  /// Does it.
  ///
  /// Kernel: arch/x86/kernel/kprobes/core.c kprobe_emulate_ifmodifiers() and the following,
  /// arch/x86/include/asm/text-patching.h int3_emulate_jcc()
  func run(on registers: inout KprobeRegisters, length: UInt64) {
    let next = registers.instructionPointer &- 1 &+ length
    registers.instructionPointer = next
    switch self {
    case .interruptFlag(0xfa): registers.flags &= ~X86_64.interruptFlag
    case .interruptFlag(0xfb): registers.flags |= X86_64.interruptFlag
    case .interruptFlag(0x9c): registers.push(registers.flags)
    case .interruptFlag: registers.flags = registers.pop()
    case .return: registers.instructionPointer = registers.pop()
    case .call(let offset):
      registers.push(next)
      registers.instructionPointer = next &+ offset
    case .jump(let offset): registers.instructionPointer = next &+ offset
    case .conditionalJump(let condition, let offset):
      if Self.isMet(condition, registers.flags) { registers.instructionPointer = next &+ offset }
    case .loop(let kind, let bytes, let offset):
      if Self.loops(kind, bytes, &registers) { registers.instructionPointer = next &+ offset }
    case .indirectCall(let register):
      registers.push(next)
      // Read after the push, which a call to the stack pointer notices.
      registers.instructionPointer = registers.x86(register)
    case .indirectJump(let register): registers.instructionPointer = registers.x86(register)
    }
  }

  /// Whether the flags meet a condition of Jcc.
  static func isMet(_ condition: UInt8, _ flags: UInt64) -> Bool {
    let carry = flags & 1 != 0
    let parity = flags & 4 != 0
    let zero = flags & 0x40 != 0
    let sign = flags & 0x80 != 0
    let overflow = flags & 0x800 != 0
    let isSet =
      switch condition >> 1 & 7 {
      case 0: overflow
      case 1: carry
      case 2: zero
      case 3: carry || zero
      case 4: sign
      case 5: parity
      case 6: sign != overflow
      default: sign != overflow || zero
      }
    return isSet != (condition & 1 != 0)
  }

  /// Counts down and tells whether to jump.
  ///
  /// The kernel tests the counter before it counts down, where the processor tests it after: an
  /// emulated LOOP goes round once more often.
  static func loops(_ kind: UInt8, _ bytes: Int, _ registers: inout KprobeRegisters) -> Bool {
    let mask: UInt64 = bytes == 8 ? .max : bytes == 4 ? 0xffff_ffff : 0xffff
    let counter = registers.general[1] & mask
    guard kind != 3 else { return counter == 0 }
    registers.general[1] = registers.general[1] & ~mask | (counter &- 1) & mask
    let zero = registers.flags & 0x40 != 0
    switch kind {
    case 0: return counter != 0 && !zero
    case 1: return counter != 0 && zero
    default: return counter != 0
    }
  }
}

extension KprobeRegisters {
  /// A general register by x86-64's number.
  func x86(_ number: Int) -> UInt64 {
    number == 4 ? stackPointer : general[number & 15]
  }

  mutating func push(_ word: UInt64) {
    stackPointer &-= 8
    stackWord = word
  }

  mutating func pop() -> UInt64 {
    let word = stackWord
    stackPointer &+= 8
    stackWord = 0
    return word
  }
}

/// Adds a signed offset.
private func &+ (address: UInt64, offset: Int32) -> UInt64 {
  address &+ UInt64(bitPattern: Int64(offset))
}

import ProbeEvents
import Testing

@testable import KernelModel

@Suite("x86-64 instructions of kprobes")
struct X86InstructionTests {
  // The kernel compares the counter as it was before the loop counted it down, for the loops that
  // look at the zero flag as well.
  @Test("loops go by the counter before it is counted down, and by the zero flag alone")
  func loops() {
    for counter in UInt64(0)...2 {
      for flags in [0, 1, 0x40, 0x41] as [UInt64] {
        for kind in UInt8(0)...2 {
          var registers = KprobeRegisters(instructionPointer: 0, flags: flags)
          registers.general[1] = counter
          let isZero = flags & 0x40 != 0
          let agrees = kind == 2 || isZero == (kind == 1)
          #expect(X86Emulation.loops(kind, 8, &registers) == (counter != 0 && agrees))
          #expect(registers.general[1] == counter &- 1)
        }
      }
    }
  }

  // As set_resume_flags() and resume_execution() of 5.11 and before list them.
  @Test("fix-ups of a hardware step go by the opcode")
  func fixUps() {
    for opcode in UInt8.min...UInt8.max where opcode != 0xff {
      let fixUp = X86FixUp(X86Instruction(opcode: opcode, length: 1))
      #expect(fixUp.modifiesInterrupts == [0x9d, 0xcf, 0xfa, 0xfb].contains(opcode))
      switch opcode {
      case 0x9c: #expect(fixUp.kind == .pushedFlags)
      case 0xe8: #expect(fixUp.kind == .call)
      case 0xc2, 0xc3, 0xca, 0xcb, 0xcf, 0xea: #expect(fixUp.kind == .absolute)
      default: #expect(fixUp.kind == .plain)
      }
    }
  }

  @Test("a jump to an extended register is prepared with its number")
  func extendedRegister() throws {
    let jump = X86Instruction(opcode: 0xff, modRM: 0xe1, extendsRegister: true, length: 3)
    #expect(try X86Emulation(jump) == .indirectJump(9))
  }

  @Test("what an instruction is not said to have it does not have")
  func plain() {
    #expect(
      X86Instruction(opcode: 0x55, length: 1)
        == X86Instruction(
          opcode: 0x55, secondOpcode: 0, modRM: 0, extendsRegister: false, immediate: 0,
          relativeDisplacement: nil, addressBytes: 8, length: 1, canBoost: false,
          isForcedEmulation: false, masksExceptions: false))
    // push %rbp; add x0,x0,#0
    #expect(KprobeInstruction.plain(.x86_64) == .x86(X86Instruction(opcode: 0x55, length: 1)))
    #expect(KprobeInstruction.plain(.aarch64) == .arm(0x9100_0000))
  }

  @Test("registers are equal if all of them are")
  func equality() {
    let registers = KprobeRegisters(instructionPointer: 1)
    #expect(registers.stackPointer == 0 && registers.stackWord == 0 && registers.flags == 0)
    #expect(!registers.isUser && registers.general.count == 32)
    let changes: [(inout KprobeRegisters) -> Void] = [
      { $0.instructionPointer = 2 }, { $0.stackPointer = 2 }, { $0.stackWord = 2 },
      { $0.flags = 2 }, { $0.isUser = true }, { $0.general[0] = 2 }, { $0.general[31] = 2 },
    ]
    for change in changes {
      var other = registers
      change(&other)
      #expect(other != registers)
    }
  }
}

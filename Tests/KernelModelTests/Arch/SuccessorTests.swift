import Testing

@testable import KernelModel

@Suite("Successors of instructions")
struct SuccessorTests {
  @Test("an instruction goes on behind itself and where a relative branch goes")
  func x86() {
    #expect(ProbedInstruction.x86(.make([0x55])).successors == [1])
    #expect(ProbedInstruction.x86(.make([0xeb], immediate: [0x10])).successors == [0x12])
    #expect(ProbedInstruction.x86(.make([0xeb], immediate: [0])).successors == [2])
    #expect(ProbedInstruction.x86(.make([0x74], immediate: [0x10])).successors == [2, 0x12])
    #expect(ProbedInstruction.x86(.make([0x74], immediate: [0xfe])).successors == [2, 0])
    #expect(
      ProbedInstruction.x86(.make([0xe8], immediate: [0, 1, 0, 0])).successors == [0x105])
    #expect(
      ProbedInstruction.x86(.make([0x0f, 0x85], immediate: [4, 0, 0, 0])).successors == [6, 10])
    #expect(ProbedInstruction.x86(.make([0x74], immediate: [0])).successors == [2])
    #expect(ProbedInstruction.x86(.make([0x74], immediate: [1])).successors == [2, 3])
    #expect(
      ProbedInstruction.x86(.make([0xe9], immediate: [0, 1, 0, 0])).successors == [0x105])
    // vpshufd $3,%xmm1,%xmm0; pshufd $3,(%rax),%xmm0: an opcode like a jump's, and a number.
    #expect(
      ProbedInstruction.x86(.make([0x70], vex: [0xc5, 0xf9], modRM: 0xc1, immediate: [3]))
        .successors
        == [5])
    #expect(
      ProbedInstruction.x86(.make([0x0f, 0x70], prefixes: [0x66], modRM: 0, immediate: [3]))
        .successors
        == [5])
    // push $16: a number, but no distance.
    #expect(ProbedInstruction.x86(.make([0x6a], immediate: [0x10])).successors == [2])
    #expect(ProbedInstruction.undecodable.successors == [])
  }

  @Test("on arm64 by the fields of the word")
  func arm64() {
    func successors(_ word: UInt32) -> [Int64] {
      ProbedInstruction.arm64(ARM64Instruction(rawValue: word)).successors
    }
    // b .+12; b .-4; b.eq .+8; cbnz x1,.+16; tbz x1,#3,.+4; br x3; nop
    #expect(successors(0x1400_0003) == [12])
    #expect(successors(0x17ff_ffff) == [-4])
    #expect(successors(0x5400_0040) == [4, 8])
    #expect(successors(0xb500_0081) == [4, 16])
    #expect(successors(0x3618_0021) == [4, 4])
    #expect(successors(0xd61f_0060) == [])
    #expect(successors(0xd503_201f) == [4])
    #expect(ProbedInstruction.arm64(ARM64Instruction(rawValue: 0xd503_201f)).length == 4)
  }
}

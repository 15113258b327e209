import ProbeEvents
import Testing

@testable import KernelModel

@Suite("Nops")
struct NopFormTests {
  typealias Emulation = UprobeRules.InstructionEmulation

  /// Instructions, and from which to which kernel each counts as a nop.
  static let forms: [(X86Encoding, Set<Emulation>)] = [
    (.make([0x90]), Set(Emulation.allCases)),
    (.make([0x90], prefixes: [0x66]), Set(Emulation.allCases)),
    // repz: pause
    (.make([0x90], prefixes: [0xf3]), [.branches, .pushes, .canonicalNops]),
    // xchg %r8,%rax
    (.make([0x90], rex: 0x49), [.branches, .pushes, .canonicalNops]),
    (
      .make([0x90], rex: 0x48), [.branches, .pushes, .canonicalNops, .recognisedNops]
    ),
    (.make([0x0f, 0x1f], modRM: 0x00), [.canonicalNops, .recognisedNops]),
    (.nop5, [.canonicalNops, .recognisedNops]),
    (
      .make([0x0f, 0x1f], modRM: 0x80, displacement: [0, 0, 0, 0]),
      [.canonicalNops, .recognisedNops]
    ),
    // Nine bytes, where the kernel recommends a segment prefix.
    (
      .make([0x0f, 0x1f], prefixes: [0x66], modRM: 0x84, sib: 0, displacement: [0, 0, 0, 0]),
      [.recognisedNops]
    ),
    // xchg %ecx,%eax
    (.make([0x91]), []),
    // Not the recommended operands.
    (.make([0x0f, 0x1f], modRM: 0x01), [.recognisedNops]),
    (.make([0x0f, 0x1f], modRM: 0x44, sib: 0, displacement: [8]), [.recognisedNops]),
    (.make([0x0f, 0x1f], modRM: 0x08), []),
    (.make([0x0f, 0x1f], rex: 0x44, modRM: 0x00), []),
    (.make([0x0f, 0x1e], prefixes: [0xf3], modRM: 0xfa), []),
    // mov %rax,%rax; mov %r9,%r9; mov %eax,%eax; mov %rcx,%rax; mov %r8,%rax;
    // mov %rax,%r8; a store
    (.make([0x89], rex: 0x48, modRM: 0xc0, operandBytes: 8), [.recognisedNops]),
    (.make([0x89], rex: 0x4d, modRM: 0xc9, operandBytes: 8), [.recognisedNops]),
    (.make([0x89], modRM: 0xc0), []),
    (.make([0x89], rex: 0x48, modRM: 0xc8, operandBytes: 8), []),
    (.make([0x89], rex: 0x4c, modRM: 0xc0, operandBytes: 8), []),
    (.make([0x89], rex: 0x49, modRM: 0xc0, operandBytes: 8), []),
    (.make([0x89], rex: 0x48, modRM: 0x00, operandBytes: 8), []),
    (.make([0x89], modRM: 0xc0, is64Bit: false), [.recognisedNops]),
    // lea 0(%rsi),%rsi in its forms
    (.make([0x8d], rex: 0x48, modRM: 0x76, displacement: [0], operandBytes: 8), [.recognisedNops]),
    (
      .make([0x8d], rex: 0x48, modRM: 0x74, sib: 0x26, displacement: [0], operandBytes: 8),
      [.recognisedNops]
    ),
    (
      .make(
        [0x8d], rex: 0x48, modRM: 0xb6, displacement: [0, 0, 0, 0], operandBytes: 8),
      [.recognisedNops]
    ),
    (
      .make([0x8d], prefixes: [0x3e], rex: 0x48, modRM: 0x76, displacement: [0], operandBytes: 8),
      [.recognisedNops]
    ),
    // lea 0(%r12),%r12, whose SIB byte has no index
    (
      .make([0x8d], rex: 0x4d, modRM: 0x64, sib: 0x24, displacement: [0], operandBytes: 8),
      [.recognisedNops]
    ),
    (.make([0x8d], rex: 0x48, modRM: 0x76, displacement: [1], operandBytes: 8), []),
    (.make([0x8d], rex: 0x48, modRM: 0x36, operandBytes: 8), []),
    (.make([0x8d], rex: 0x48, modRM: 0xf6, operandBytes: 8), []),
    (.make([0x8d], modRM: 0x76, displacement: [0]), []),
    (.make([0x8d], rex: 0x48, modRM: 0x7e, displacement: [0], operandBytes: 8), []),
    // With an index, scaled or not; the fourth is none unless REX extends it.
    (.make([0x8d], rex: 0x48, modRM: 0x74, sib: 0x06, displacement: [0], operandBytes: 8), []),
    (.make([0x8d], rex: 0x48, modRM: 0x74, sib: 0x66, displacement: [0], operandBytes: 8), []),
    (.make([0x8d], rex: 0x4a, modRM: 0x74, sib: 0x26, displacement: [0], operandBytes: 8), []),
    (
      .make([0x8d], prefixes: [0x65], rex: 0x48, modRM: 0x76, displacement: [0], operandBytes: 8),
      []
    ),
    (.make([0xeb], immediate: [0]), [.recognisedNops]),
    (.make([0xe9], immediate: [0, 0, 0, 0]), [.recognisedNops]),
    (.make([0xeb], immediate: [1]), []),
    (.move, []), (.push, []),
    // vpor: a jump of length zero by its opcode, but no nop.
    (.make([0xeb], vex: [0xc5, 0xf9], modRM: 0xd1), []),
  ]

  @Test("each form counts as a nop in the kernels that say so", arguments: Emulation.allCases)
  func forms(emulation: Emulation) {
    for (instruction, kernels) in Self.forms {
      #expect(instruction.isNop(emulation) == kernels.contains(emulation), "\(instruction.bytes)")
    }
  }

  @Test("in 6.18 exactly the recommended nop of each length counts, beside any 90")
  func recommended() {
    // As arch/x86/include/asm/nops.h lists them.
    let nops: [X86Encoding] = [
      .make([0x0f, 0x1f], modRM: 0x00),
      .make([0x0f, 0x1f], modRM: 0x40, displacement: [0]),
      .nop5,
      .make([0x0f, 0x1f], prefixes: [0x66], modRM: 0x44, sib: 0, displacement: [0]),
      .make([0x0f, 0x1f], modRM: 0x80, displacement: [0, 0, 0, 0]),
      .make([0x0f, 0x1f], modRM: 0x84, sib: 0, displacement: [0, 0, 0, 0]),
    ]
    #expect(nops.map(\.length) == Array(3...8))
    for nop in nops {
      #expect(nop.isNop(.canonicalNops) && !nop.isNop(.pushes))
      for index in nop.bytes.indices {
        var other = nop
        other.bytes[index] ^= 1
        #expect(!other.isNop(.canonicalNops))
      }
    }
  }

  @Test("a nop that is emulated moves on by its length and no further")
  func treatment() throws {
    let treatment = try AnalyzeX86Tests.analyze(.nop5, .e8)
    #expect(treatment.execution == .branch(opcode: 0x0f, offset: 0))
    #expect(treatment.length == 5)
    #expect(try AnalyzeX86Tests.execution(.nop5, .e7) == .step(.instructionPointer))
  }

  @Test("a five-byte nop can become a call unless it crosses the end of its page")
  func nop5() throws {
    for (address, isOptimizable) in [(0x40_0ffb, true), (0x40_0ffc, false), (0x40_1000, true)] {
      let treatment = try AnalyzeX86Tests.analyze(.nop5, .e8, at: UInt64(address))
      #expect(treatment.canBeOptimized == isOptimizable)
    }
    for epoch in [Epoch.e7, .e9] {
      #expect(try AnalyzeX86Tests.analyze(.nop5, epoch).canBeOptimized == false)
    }
    let short = X86Encoding.make([0x90])
    #expect(try AnalyzeX86Tests.analyze(short, .e8).canBeOptimized == false)
    let compat = X86Encoding.make(
      [0x0f, 0x1f], modRM: 0x44, sib: 0, displacement: [0], is64Bit: false)
    #expect(try AnalyzeX86Tests.analyze(compat, .e8).canBeOptimized == false)
  }

  @Test("before nops were recognised by effect, five bytes of prefixes and 90 could become a call")
  func nop5BySyntax() {
    let prefixed = X86Encoding.make([0x90], prefixes: [0x66, 0x66, 0x66, 0xf3])
    #expect(prefixed.canBeOptimized(at: 0, .nop5, .canonicalNops))
    #expect(!prefixed.canBeOptimized(at: 0, .nop5, .recognisedNops))
    #expect(X86Encoding.nop5.canBeOptimized(at: 0, .nop5, .canonicalNops))
    let wrongOperand = X86Encoding.make([0x0f, 0x1f], modRM: 0x4c, sib: 0, displacement: [0])
    #expect(!wrongOperand.canBeOptimized(at: 0, .nop5, .canonicalNops))
  }

  @Test("since 7.2 the ten-byte nop can become a call, despite its segment prefix")
  func nop10() throws {
    for (address, isOptimizable) in [(0x40_0ff6, true), (0x40_1000, true)] {
      let treatment = try AnalyzeX86Tests.analyze(.nop10, .e9, at: UInt64(address))
      #expect(treatment.canBeOptimized == isOptimizable)
      #expect(treatment.execution == .branch(opcode: 0x0f, offset: 0))
    }
    #expect(throws: UprobeRefusal.unsupportedInstruction) {
      try AnalyzeX86Tests.analyze(.nop10, .e9, at: 0x40_0ff7)
    }
    #expect(throws: UprobeRefusal.unsupportedInstruction) {
      try AnalyzeX86Tests.analyze(.nop10, .e8)
    }
    let other = X86Encoding.make(
      [0x0f, 0x1f], prefixes: [0x66, 0x66], modRM: 0x84, sib: 0, displacement: [0, 0, 0, 0])
    #expect(try AnalyzeX86Tests.analyze(other, .e9).canBeOptimized == false)
  }
}

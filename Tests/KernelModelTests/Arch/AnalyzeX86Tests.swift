import ProbeEvents
import Testing

@testable import KernelModel

/// Expectations are the tables and branches of arch/x86/kernel/uprobes.c, told a second time.
@Suite("Analysis of x86-64 instructions")
struct AnalyzeX86Tests {
  static func rules(_ epoch: Epoch) -> UprobeRules {
    UprobeRules(epoch: epoch, architecture: .x86_64)
  }

  static func analyze(
    _ instruction: X86Encoding, _ epoch: Epoch = .e7, at address: UInt64 = 0x40_0000
  ) throws -> X86Treatment {
    try X86_64.analyzeInstruction(instruction, at: address, rules: rules(epoch))
  }

  static func execution(
    _ instruction: X86Encoding, _ epoch: Epoch = .e7
  ) throws -> X86Treatment.Execution {
    try analyze(instruction, epoch).execution
  }

  /// The refused opcodes of good_insns_64 and good_insns_32, row by row as in the source.
  static let refused64: Set<UInt8> = [
    0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60, 0x61, 0x62, 0x6c, 0x6d,
    0x6e, 0x6f, 0x82, 0x9a, 0xcc, 0xcd, 0xce, 0xcf, 0xd4, 0xd5, 0xd6, 0xe4, 0xe5, 0xe6, 0xe7, 0xea,
    0xec, 0xed, 0xee, 0xef, 0xf1, 0xf4, 0xfa, 0xfb,
  ]
  static let refused32: Set<UInt8> = [
    0x07, 0x17, 0x1f, 0x6c, 0x6d, 0x6e, 0x6f, 0xcc, 0xcd, 0xce, 0xcf, 0xe4, 0xe5, 0xe6, 0xe7, 0xec,
    0xed, 0xee, 0xef, 0xf1, 0xf4, 0xfa, 0xfb,
  ]

  @Test(
    "every one-byte opcode is refused or not as the kernel's tables say", arguments: [true, false])
  func opcodes(is64Bit: Bool) {
    for opcode in UInt8.min...UInt8.max {
      let instruction = X86Encoding.make([opcode], is64Bit: is64Bit)
      let isRefused = (is64Bit ? Self.refused64 : Self.refused32).contains(opcode)
      #expect(
        instruction.refusal == (isRefused ? .unsupportedInstruction : nil),
        "\(String(opcode, radix: 16))")
    }
  }

  @Test("lock and four segment prefixes are refused, others are not")
  func prefixes() {
    for prefix in UInt8.min...UInt8.max {
      let isRefused = [0x26, 0x2e, 0x36, 0x3e, 0xf0].contains(prefix)
      for prefixes in [[prefix], [0x66, prefix]] {
        let refusal = X86Encoding.make([0x89], prefixes: prefixes, modRM: 0xe5).refusal
        #expect(refusal == (isRefused ? .unsupportedInstruction : nil))
      }
    }
  }

  @Test("loading the stack segment register is refused, loading others is not")
  func exceptionMasking() {
    for reg in UInt8(0)..<8 {
      let load = X86Encoding.make([0x8e], modRM: 0xc0 | reg << 3)
      #expect(load.refusal == (reg == 2 ? .unsupportedInstruction : nil))
      #expect(X86Encoding.make([0x8c], modRM: 0xc0 | reg << 3).refusal == nil)
    }
  }

  @Test("two-byte opcodes all pass, a system call as well")
  func twoByteOpcodes() throws {
    for opcode in UInt8.min...UInt8.max {
      #expect(X86Encoding.make([0x0f, opcode], modRM: 0xc0).refusal == nil)
    }
    #expect(try Self.execution(.make([0x0f, 0x05])) == .step(.instructionPointer))
  }

  @Test("relative jumps are emulated since 3.16")
  func jumps() throws {
    let short = X86Encoding.make([0xeb], immediate: [0xfe])
    let near = X86Encoding.make([0xe9], immediate: [0x10, 0, 0, 0])
    #expect(try Self.execution(short) == .branch(opcode: 0xeb, offset: -2))
    #expect(try Self.execution(near) == .branch(opcode: 0xe9, offset: 16))
    #expect(try Self.execution(short, .e2) == .branch(opcode: 0xeb, offset: -2))
    #expect(try Self.execution(short, .e1) == .step(.instructionPointer))
  }

  @Test("near and short conditional jumps test the same conditions")
  func conditionalJumps() throws {
    for condition in UInt8(0)..<16 {
      let short = X86Encoding.make([0x70 + condition], immediate: [0x80])
      let near = X86Encoding.make([0x0f, 0x80 + condition], immediate: [0x80, 0xff, 0xff, 0xff])
      let expected = X86Treatment.Execution.branch(opcode: 0x70 + condition, offset: -128)
      #expect(try Self.execution(short) == expected)
      #expect(try Self.execution(near) == expected)
    }
    #expect(try Self.execution(.make([0x0f, 0x7f], modRM: 0)) == .step(.instructionPointer))
    #expect(try Self.execution(.make([0x0f, 0x90], modRM: 0)) == .step(.instructionPointer))
  }

  @Test("a relative call is emulated, and its copy goes nowhere")
  func calls() throws {
    let call = X86Encoding.make([0xe8], immediate: [0x44, 0x33, 0x22, 0x11])
    let treatment = try Self.analyze(call)
    #expect(treatment.execution == .call(offset: 0x1122_3344))
    #expect(treatment.copy == [0xe8, 0, 0, 0, 0])
    #expect(treatment.length == 5)
    #expect(try Self.execution(call, .e0) == .step([.instructionPointer, .returnAddress]))
    #expect(try Self.analyze(call, .e0).copy == call.bytes)
  }

  @Test("branches with an operand-size prefix are refused")
  func sixteenBitBranches() {
    for opcode: [UInt8] in [[0xe8], [0xe9], [0xeb], [0x74], [0x0f, 0x84]] {
      let branch = X86Encoding.make(opcode, prefixes: [0x66], immediate: [1, 0])
      #expect(throws: UprobeRefusal.unsupportedInstruction) { try Self.analyze(branch) }
    }
  }

  @Test("pushes of all sixteen registers are emulated since 4.16")
  func pushes() throws {
    // Columns of ax, cx, dx, bx, sp, bp, si, di, r8 ... r15 in the register layout.
    let names = ["ax", "cx", "dx", "bx", "sp", "bp", "si", "di"] + (8...15).map { "r\($0)" }
    let layout = Architecture.x86_64.registerLayout
    for (number, name) in names.enumerated() {
      let push = X86Encoding.make([0x50 + UInt8(number % 8)], rex: number < 8 ? nil : 0x41)
      let column = try #require(layout.names.firstIndex(of: name))
      #expect(try Self.execution(push) == .push(column: column))
      #expect(try Self.execution(push, .e2) == .step(.instructionPointer))
    }
  }

  @Test("a push with another prefix than the one REX is stepped")
  func prefixedPushes() throws {
    let others = [
      X86Encoding.make([0x55], rex: 0x48), .make([0x55], rex: 0x40),
      .make([0x55], prefixes: [0x66]),
      .make([0x55], prefixes: [0x66], rex: 0x41), .make([0x58]), .make([0x4f], is64Bit: false),
    ]
    for push in others { #expect(try Self.execution(push) == .step(.instructionPointer)) }
  }

  @Test("what is stepped has the fix-ups its effect on the instruction pointer needs")
  func fixUps() throws {
    let expected: [(X86Encoding, X86Treatment.FixUps)] = [
      (.move, .instructionPointer),
      (.make([0x9d]), [.instructionPointer, .trapFlag]),
      (.make([0xc3]), []), (.make([0xc2], immediate: [8, 0]), []),
      (.make([0xcb]), []), (.make([0xca], immediate: [8, 0]), []),
      (.make([0xea], immediate: [0, 0, 0, 0, 0, 0], is64Bit: false), []),
      (.make([0x9a], immediate: [0, 0, 0, 0, 0, 0], is64Bit: false), .returnAddress),
      (.make([0xff], modRM: 0xc0), .instructionPointer),
      (.make([0xff], modRM: 0xc8), .instructionPointer),
      (.make([0xff], modRM: 0xd0), .returnAddress), (.make([0xff], modRM: 0x18), .returnAddress),
      (.make([0xff], modRM: 0xe0), []), (.make([0xff], modRM: 0x28), []),
      (.make([0xff], modRM: 0xf0), .instructionPointer),
    ]
    for (instruction, fixUps) in expected {
      let treatment = try Self.analyze(instruction)
      #expect(treatment.execution == .step(fixUps), "\(instruction.bytes)")
      #expect(treatment.copy == instruction.bytes)
    }
  }

  @Test("vector instructions whose opcode looks like a jump are taken for one")
  func vectorBranches() throws {
    // vpor %xmm1,%xmm0,%xmm2; vmovdqu %xmm0,(%rax). The live 6.18 kernel skips both.
    let or = X86Encoding.make([0xeb], vex: [0xc5, 0xf9], modRM: 0xd1)
    let store = X86Encoding.make([0x7f], vex: [0xc5, 0xfa], modRM: 0x00)
    #expect(try Self.execution(or) == .branch(opcode: 0xeb, offset: 0))
    #expect(try Self.execution(store) == .branch(opcode: 0x7f, offset: 0))
    let add = X86Encoding.make([0x58], vex: [0xc5, 0xf8], modRM: 0xc1)
    #expect(try Self.execution(add) == .step(.instructionPointer))
  }

  @Test("an instruction of the other architecture is none", arguments: Architecture.allCases)
  func otherArchitecture(architecture: Architecture) {
    let rules = UprobeRules(epoch: .e8, architecture: architecture)
    let other: ProbedInstruction =
      architecture == .x86_64 ? .arm64(ARM64Instruction(rawValue: 0x9100_03fd)) : .x86(.move)
    for instruction in [other, .undecodable] {
      #expect(throws: UprobeRefusal.undecodable) {
        try rules.analyzeInstruction(instruction, at: 0x40_0000, isCompat: false)
      }
    }
  }

  @Test("what an instruction is not said to have it does not have")
  func plain() {
    #expect(X86Encoding(bytes: [0x90], opcode: [0x90]) == .make([0x90]))
  }

  @Test("registers stand where perf has them, flags are the processor's bits")
  func registers() {
    let names = Architecture.x86_64.registerLayout.names
    #expect(names[X86Register.flags] == "flags" && names[X86Register.ip] == "ip")
    #expect(names[X86Register.sp] == "sp" && names[X86Register.si] == "si")
    #expect(names[X86Register.di] == "di" && names[X86Register.bx] == "bx")
    #expect(X86Register.trapFlag == 1 << 8)
  }
}

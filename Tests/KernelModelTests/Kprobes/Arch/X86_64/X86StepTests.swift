import KernelModel
import ProbeEvents
import Testing

@Suite("Stepping on x86-64")
struct X86StepTests {
  static let fork = KprobeFixture.fork

  /// A fixture with one probe on an instruction, without handlers.
  func fixture(
    _ instruction: X86Instruction, _ epoch: KprobeEpoch = .k8,
    handlers: KprobeHandlers = [], isPreemptible: Bool = true
  ) -> (KprobeFixture, KprobeError?) {
    var text = KprobeFixture.text()
    text.instructions[Self.fork] = .x86(instruction)
    var fixture = KprobeFixture(epoch, text: text) { $1.isPreemptible = isPreemptible }
    let id = fixture.kernel.declare(Kprobe(address: Self.fork, handlers: handlers))
    let error = refusal { () throws(KprobeError) in try fixture.kernel.register(id) }
    return (fixture, error)
  }

  /// One emulated instruction, with where it goes and what else it changes.
  struct Row: CustomTestStringConvertible {
    var name: String
    var instruction: X86Instruction
    var flags: UInt64 = 0
    var counter: UInt64 = 0
    var target: UInt64 = 0
    var expected: Int64
    var expectedFlags: UInt64? = nil
    var expectedCounter: UInt64? = nil
    var expectedTarget: UInt64? = nil
    /// The change of the stack pointer, and the word it points to then.
    var stack: Int64 = 0
    var word: UInt64 = 0x77
    var testDescription: String { name }
  }

  static let rows: [Row] = [
    Row(
      name: "cli", instruction: X86Instruction(opcode: 0xfa, length: 1), flags: 0x202,
      expected: 1, expectedFlags: 2),
    Row(
      name: "sti", instruction: X86Instruction(opcode: 0xfb, length: 1), expected: 1,
      expectedFlags: 0x200),
    Row(
      name: "pushf", instruction: X86Instruction(opcode: 0x9c, length: 1), flags: 0x246,
      expected: 1, stack: -8, word: 0x246),
    Row(
      name: "popf", instruction: X86Instruction(opcode: 0x9d, length: 1), flags: 0x246,
      expected: 1, expectedFlags: 0x77, stack: 8, word: 0),
    Row(
      name: "call", instruction: X86Instruction(opcode: 0xe8, immediate: -0x100, length: 5),
      expected: 5 - 0x100, stack: -8, word: fork + 5),
    Row(
      name: "jmp near", instruction: X86Instruction(opcode: 0xe9, immediate: 0x1000, length: 5),
      expected: 0x1005),
    Row(name: "jmp to the next", instruction: X86Instruction(opcode: 0xeb, length: 2), expected: 2),
    Row(
      name: "jmp short", instruction: X86Instruction(opcode: 0xeb, immediate: -2, length: 2),
      expected: 0),
    Row(
      name: "loop that goes round",
      instruction: X86Instruction(opcode: 0xe2, immediate: 16, length: 2), counter: 2,
      expected: 18, expectedCounter: 1),
    Row(
      name: "loop goes round once more than the processor's would",
      instruction: X86Instruction(opcode: 0xe2, immediate: 16, length: 2), counter: 1,
      expected: 18, expectedCounter: 0),
    Row(
      name: "loop with a counter of zero",
      instruction: X86Instruction(opcode: 0xe2, immediate: 16, length: 2), counter: 0,
      expected: 2, expectedCounter: .max),
    Row(
      name: "loop with a 32-bit counter leaves the upper half",
      instruction: X86Instruction(opcode: 0xe2, immediate: 16, addressBytes: 4, length: 3),
      counter: 5 << 32, expected: 3, expectedCounter: 5 << 32 | 0xffff_ffff),
    Row(
      name: "loop with a 16-bit counter leaves the rest",
      instruction: X86Instruction(opcode: 0xe2, immediate: 16, addressBytes: 2, length: 3),
      counter: 0xffff_0001, expected: 19, expectedCounter: 0xffff_0000),
    Row(
      name: "loopne ends with equal",
      instruction: X86Instruction(opcode: 0xe0, immediate: 16, length: 2), flags: 0x40,
      counter: 9, expected: 2, expectedCounter: 8),
    Row(
      name: "loopne goes round with unequal",
      instruction: X86Instruction(opcode: 0xe0, immediate: 16, length: 2), counter: 9,
      expected: 18, expectedCounter: 8),
    Row(
      name: "loope goes round with equal",
      instruction: X86Instruction(opcode: 0xe1, immediate: 16, length: 2), flags: 0x40,
      counter: 9, expected: 18, expectedCounter: 8),
    Row(
      name: "loope ends with unequal, whatever the other flags",
      instruction: X86Instruction(opcode: 0xe1, immediate: 16, length: 2), flags: ~0x40,
      counter: 9, expected: 2, expectedCounter: 8),
    Row(
      name: "loopne goes round once more than the processor's would",
      instruction: X86Instruction(opcode: 0xe0, immediate: 16, length: 2), flags: ~0x40,
      counter: 1, expected: 18, expectedCounter: 0),
    Row(
      name: "loopne with a counter of zero",
      instruction: X86Instruction(opcode: 0xe0, immediate: 16, length: 2), expected: 2,
      expectedCounter: .max),
    Row(
      name: "loope goes round once more than the processor's would",
      instruction: X86Instruction(opcode: 0xe1, immediate: 16, length: 2), flags: 0x40,
      counter: 1, expected: 18, expectedCounter: 0),
    Row(
      name: "loope with a counter of zero",
      instruction: X86Instruction(opcode: 0xe1, immediate: 16, length: 2), flags: 0x40,
      expected: 2, expectedCounter: .max),
    Row(
      name: "jrcxz jumps at zero",
      instruction: X86Instruction(opcode: 0xe3, immediate: 16, length: 2), expected: 18),
    Row(
      name: "jrcxz does not jump or count otherwise",
      instruction: X86Instruction(opcode: 0xe3, immediate: 16, length: 2), counter: 1,
      expected: 2, expectedCounter: 1),
    Row(
      name: "jecxz looks at the lower half",
      instruction: X86Instruction(opcode: 0xe3, immediate: 16, addressBytes: 4, length: 3),
      counter: 1 << 32, expected: 19, expectedCounter: 1 << 32),
  ]

  @Test("an instruction is emulated", arguments: rows)
  func emulated(row: Row) throws {
    var (fixture, error) = fixture(row.instruction)
    #expect(error == nil)
    var registers = fixture.trapped(at: Self.fork, flags: row.flags)
    registers.general[1] = row.counter
    let outcome = fixture.kernel.breakpoint(registers, on: &fixture.processor)
    let end = try #require(outcome.resumed)
    #expect(end.instructionPointer == Self.fork &+ UInt64(bitPattern: row.expected))
    #expect(end.flags == row.expectedFlags ?? row.flags)
    #expect(end.general[1] == row.expectedCounter ?? row.counter)
    #expect(end.stackPointer == 0x9000 &+ UInt64(bitPattern: row.stack))
    #expect(end.stackWord == row.word)
    #expect(fixture.processor.running == .none)
    #expect(fixture.processor.status == .done)
  }

  @Test("a return goes where the stack says, near or far", arguments: [0xc2, 0xc3, 0xca, 0xcb])
  func emulatedReturn(opcode: UInt8) throws {
    var (fixture, _) = fixture(X86Instruction(opcode: opcode, immediate: 16, length: 3))
    let end = try #require(fixture.hit(Self.fork).resumed)
    #expect(end.instructionPointer == 0x77)
    // The operand of the return is ignored.
    #expect(end.stackPointer == 0x9008)
  }

  @Test("a call or jump to a register goes there", arguments: 0..<16)
  func indirect(register: Int) throws {
    for isCall in [true, false] {
      var (fixture, error) = fixture(
        X86Instruction(
          opcode: 0xff, modRM: (isCall ? 0xd0 : 0xe0) | UInt8(register & 7),
          extendsRegister: register > 7, length: 2))
      #expect(error == nil)
      #expect(
        fixture.entry(Self.fork)?.instruction.execution
          == .emulated(isCall ? .indirectCall(register) : .indirectJump(register)))
      var registers = fixture.trapped(at: Self.fork)
      for index in 0..<16 { registers.general[index] = 0x1000 + UInt64(index) }
      let outcome = fixture.kernel.breakpoint(registers, on: &fixture.processor)
      let end = try #require(outcome.resumed)
      if register == 4 {
        // The stack pointer, after the push of a call.
        #expect(end.instructionPointer == (isCall ? 0x8ff8 : 0x9000))
      } else {
        #expect(end.instructionPointer == 0x1000 + UInt64(register))
      }
      #expect(end.stackPointer == (isCall ? 0x8ff8 : 0x9000))
      if isCall { #expect(end.stackWord == Self.fork + 2) }
    }
  }

  @Test("conditional jumps jump by the flags, short and near", arguments: 0..<16)
  func conditions(condition: Int) throws {
    for bits in 0..<32 {
      let (carry, parity, zero) = (bits & 1 != 0, bits & 2 != 0, bits & 4 != 0)
      let (sign, overflow) = (bits & 8 != 0, bits & 16 != 0)
      let flags =
        (carry ? 1 : 0) | (parity ? 4 : 0) | (zero ? 0x40 : 0) | (sign ? 0x80 : 0)
        | (overflow ? 0x800 : 0) as UInt64
      let jumps: [Bool] = [
        overflow, !overflow, carry, !carry, zero, !zero, carry || zero, !carry && !zero, sign,
        !sign, parity, !parity, sign != overflow, sign == overflow, zero || sign != overflow,
        !zero && sign == overflow,
      ]
      for isNear in [true, false] {
        let code = UInt8(condition)
        var (fixture, error) = fixture(
          X86Instruction(
            opcode: isNear ? 0x0f : 0x70 | code, secondOpcode: isNear ? 0x80 | code : 0,
            immediate: 0x20, length: isNear ? 6 : 2))
        #expect(error == nil)
        let length: UInt64 = isNear ? 6 : 2
        let end = try #require(fixture.hit(Self.fork, flags: flags).resumed)
        let expected = Self.fork + length + (jumps[condition] ? 0x20 : 0)
        #expect(end.instructionPointer == expected, "\(condition) \(flags)")
      }
    }
  }

  @Test("what can be neither stepped nor emulated is refused with breakpoint stepping")
  func refused() {
    let instructions = [
      X86Instruction(opcode: 0x9a, length: 7), X86Instruction(opcode: 0xea, length: 7),
      X86Instruction(opcode: 0xcf, length: 1),
      X86Instruction(opcode: 0x0f, secondOpcode: 0x01, modRM: 0xc1, length: 3),
      X86Instruction(opcode: 0xff, modRM: 0xd8, length: 2),
      X86Instruction(opcode: 0xff, modRM: 0xe8, length: 2),
      X86Instruction(opcode: 0xff, modRM: 0x10, length: 2),
      X86Instruction(opcode: 0xff, modRM: 0x20, length: 2),
      X86Instruction(opcode: 0xff, modRM: 0xd0, addressBytes: 4, length: 3),
      X86Instruction(opcode: 0xff, modRM: 0xe0, addressBytes: 4, length: 3),
    ]
    for instruction in instructions {
      #expect(fixture(instruction).1 == .notEmulated, "\(instruction)")
      #expect(fixture(instruction, .k7).1 == nil, "\(instruction)")
    }
    for instruction in [
      X86Instruction(opcode: 0xff, modRM: 0xc0, length: 2),
      X86Instruction(opcode: 0x0f, secondOpcode: 0x01, modRM: 0x01, length: 3),
      X86Instruction(opcode: 0x0f, secondOpcode: 0x01, modRM: 0xf8, length: 3),
      X86Instruction(opcode: 0x0f, secondOpcode: 0xaf, modRM: 0xc1, length: 3),
    ] {
      let (fixture, error) = fixture(instruction)
      #expect(error == nil)
      #expect(fixture.entry(Self.fork)?.instruction.execution == .stepped, "\(instruction)")
    }
  }

  @Test("places and instructions that cannot be copied are refused")
  func copies() {
    func attempt(_ instruction: X86Instruction, _ epoch: KprobeEpoch) -> KprobeError? {
      fixture(instruction, epoch).1
    }
    let masking = X86Instruction(opcode: 0x17, length: 1, masksExceptions: true)
    let forced = X86Instruction(opcode: 0x90, length: 6, isForcedEmulation: true)
    let breakpoint = X86Instruction(opcode: 0xcc, length: 1)
    for epoch in KprobeEpoch.allCases {
      #expect(attempt(masking, epoch) == (epoch < .k2 ? nil : .instructionRejected))
      #expect(attempt(forced, epoch) == (epoch < .k2 ? nil : .instructionRejected))
      #expect(
        attempt(breakpoint, epoch)
          == (epoch < .k2 ? nil : epoch < .k12 ? .instructionRejected : .notAnInstruction))
      for trap in [
        X86Instruction(opcode: 0x0f, secondOpcode: 0x0b, length: 2),
        X86Instruction(opcode: 0x0f, secondOpcode: 0xb9, length: 3),
        X86Instruction(opcode: 0x0f, secondOpcode: 0xff, length: 3),
        X86Instruction(opcode: 0xcd, length: 2), X86Instruction(opcode: 0xce, length: 1),
        X86Instruction(opcode: 0xf1, length: 1),
      ] {
        #expect(attempt(trap, epoch) == (epoch < .k12 ? nil : .notAnInstruction))
      }
    }
    #expect(attempt(X86Instruction(opcode: 0x90, length: 16), .k8) == .noRoom)
    #expect(attempt(X86Instruction(opcode: 0x90, length: 15), .k8) == nil)
  }

  @Test("an operand relative to the instruction must reach from the copy")
  func relative() {
    // From the copy, the same target is farther away by the distance of the two.
    let distance = Int64(bitPattern: KprobeFixture.slots &- Self.fork)
    for (displacement, fits) in [
      (Int32.min, false), (Int32(truncatingIfNeeded: Int64(Int32.min) + distance), true),
      (Int32(truncatingIfNeeded: Int64(Int32.min) + distance - 1), false), (0, true),
      (Int32.max, true),
    ] {
      let (_, error) = fixture(
        X86Instruction(opcode: 0x8b, relativeDisplacement: displacement, length: 7))
      #expect(error == (fits ? nil : .instructionRejected), "\(displacement)")
    }
  }

  @Test("marked places are refused: with features, and in the middle of an instruction")
  func places() {
    for (meaning, expected) in [
      (TextMark.Meaning.alternatives, KprobeError.alternatives),
      (.middleOfInstruction, .notAnInstruction),
    ] {
      var text = KprobeFixture.text()
      text.marks = [TextMark(meaning, Self.fork..<Self.fork + 1)]
      var fixture = KprobeFixture(.k10, text: text)
      let id = fixture.kernel.declare(Kprobe(address: Self.fork))
      #expect(refusal { () throws(KprobeError) in try fixture.kernel.register(id) } == expected)
      var arm = KprobeFixture(.k10, .aarch64, text: text)
      let other = arm.kernel.declare(Kprobe(address: Self.fork))
      #expect(refusal { () throws(KprobeError) in try arm.kernel.register(other) } == nil)
    }
  }
}

import ProbeEvents
import Testing

@testable import KernelModel

@Suite("Emulation of x86-64 instructions")
struct EmulateX86Tests {
  static let site: UInt64 = 0x40_0100
  static let stack: UInt64 = 0x7000

  static func registers(flags: UInt64 = 0) -> RegisterFile {
    var registers = RegisterFile()
    for column in 0..<20 { registers[column] = 0x1000 + UInt64(column) }
    registers[X86Register.ip] = site
    registers[X86Register.sp] = stack
    registers[X86Register.flags] = flags
    return registers
  }

  /// When a conditional jump is taken, as the processor's manual writes the conditions.
  static func isTaken(_ condition: Int, _ flags: UInt64) -> Bool {
    let (cf, pf, zf, sf, of) = (
      flags & 1 != 0, flags & 4 != 0, flags & 0x40 != 0, flags & 0x80 != 0, flags & 0x800 != 0
    )
    let table: [Bool] = [
      of, !of, cf, !cf, zf, !zf, cf || zf, !cf && !zf, sf, !sf, pf, !pf, sf != of, sf == of,
      zf || (sf != of), !zf && (sf == of),
    ]
    return table[condition]
  }

  @Test("a conditional jump is taken by its flags, in all combinations")
  func conditions() {
    let bits: [UInt64] = [0x1, 0x4, 0x40, 0x80, 0x800]
    for condition in 0..<16 {
      for combination in 0..<32 {
        let flags = bits.enumerated().reduce(UInt64(0x202)) {
          combination >> $1.offset & 1 == 1 ? $0 | $1.element : $0
        }
        var registers = Self.registers(flags: flags)
        var memory = TestMemory()
        let treatment = X86Treatment(
          execution: .branch(opcode: 0x70 + UInt8(condition), offset: -0x20), length: 2, copy: [],
          canBeOptimized: false)
        #expect(
          X86_64.emulate(treatment, registers: &registers, wordBytes: 8, memory: &memory))
        let next = Self.site + 2
        #expect(
          registers[X86Register.ip] == (Self.isTaken(condition, flags) ? next - 0x20 : next))
      }
    }
  }

  @Test("a jump goes to its target and changes nothing else")
  func jump() {
    var registers = Self.registers()
    var memory = TestMemory()
    let treatment = X86Treatment(
      execution: .branch(opcode: 0xe9, offset: 0x1000), length: 5, copy: [], canBeOptimized: false)
    #expect(X86_64.emulate(treatment, registers: &registers, wordBytes: 8, memory: &memory))
    var expected = Self.registers()
    expected[X86Register.ip] = Self.site + 5 + 0x1000
    for column in 0..<20 { #expect(registers[column] == expected[column]) }
    #expect(memory.bytes.isEmpty)
  }

  @Test("a call pushes the address after the original", arguments: [4, 8])
  func call(wordBytes: Int) {
    var registers = Self.registers()
    var memory = TestMemory()
    let treatment = X86Treatment(
      execution: .call(offset: 0x1000), length: 5, copy: [], canBeOptimized: false)
    #expect(
      X86_64.emulate(treatment, registers: &registers, wordBytes: wordBytes, memory: &memory))
    #expect(registers[X86Register.ip] == Self.site + 5 + 0x1000)
    #expect(registers[X86Register.sp] == Self.stack - UInt64(wordBytes))
    #expect(
      memory.readWord(at: Self.stack - UInt64(wordBytes), bytes: wordBytes) == Self.site + 5)
    #expect(memory.bytes.count == wordBytes)
  }

  @Test("a call that cannot push is not emulated, and leaves the stack pointer alone")
  func failedCall() {
    var registers = Self.registers()
    var memory = TestMemory()
    memory.isClosed = true
    let treatment = X86Treatment(
      execution: .call(offset: 0x1000), length: 5, copy: [], canBeOptimized: false)
    #expect(!X86_64.emulate(treatment, registers: &registers, wordBytes: 8, memory: &memory))
    #expect(registers[X86Register.sp] == Self.stack)
    #expect(registers[X86Register.ip] == Self.site + 5)
  }

  @Test("a push stores the register as it was before, the stack pointer too")
  func pushes() {
    for column in X86Register.columns {
      var registers = Self.registers()
      let value = registers[column]
      var memory = TestMemory()
      let treatment = X86Treatment(
        execution: .push(column: column), length: 2, copy: [], canBeOptimized: false)
      #expect(X86_64.emulate(treatment, registers: &registers, wordBytes: 8, memory: &memory))
      #expect(memory.readWord(at: Self.stack - 8, bytes: 8) == value)
      #expect(registers[X86Register.sp] == Self.stack - 8)
      #expect(registers[X86Register.ip] == Self.site + 2)
    }
  }

  @Test("a push that cannot be stored is not emulated and changes nothing")
  func failedPush() {
    var registers = Self.registers()
    var memory = TestMemory()
    memory.isClosed = true
    let treatment = X86Treatment(
      execution: .push(column: 0), length: 1, copy: [], canBeOptimized: false)
    #expect(!X86_64.emulate(treatment, registers: &registers, wordBytes: 8, memory: &memory))
    #expect(registers[X86Register.ip] == Self.site)
    #expect(registers[X86Register.sp] == Self.stack)
  }

  @Test("a task that traces itself gets its trap after an emulated instruction")
  func ownTrap() {
    for flags in [0x302, 0x202] as [UInt64] {
      var task = ProbedTask(space: 0, registers: Self.registers(flags: flags))
      var memory = TestMemory()
      let treatment = InstructionTreatment.x86(
        X86Treatment(
          execution: .branch(opcode: 0x90, offset: 0), length: 1, copy: [0x90],
          canBeOptimized: false))
      #expect(treatment.emulateInsteadOfStepping(&task, memory: &memory))
      #expect(task.signals == (flags == 0x302 ? [.trapSent] : []))
    }
  }
}

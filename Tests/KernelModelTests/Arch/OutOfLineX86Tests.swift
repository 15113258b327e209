import ProbeEvents
import Testing

@testable import KernelModel

@Suite("Steps of x86-64 instructions")
struct OutOfLineX86Tests {
  static let site: UInt64 = 0x40_0100
  static let slot: UInt64 = 0x7fff_ffff_e080
  static let trap: UInt64 = 0x100

  struct Step {
    var registers = EmulateX86Tests.registers()
    var step = SingleStep()
    var memory = TestMemory()
    let treatment: X86Treatment

    init(_ execution: X86Treatment.Execution, length: Int = 7, flags: UInt64 = 0) {
      treatment = X86Treatment(
        execution: execution, length: length, copy: [], canBeOptimized: false)
      registers[X86Register.flags] = flags
      step.address = OutOfLineX86Tests.site
      step.xolAddress = OutOfLineX86Tests.slot
      step.faultNumber = 14
    }

    mutating func pre() {
      X86_64.preXOL(treatment, registers: &registers, step: &step)
    }

    mutating func post(wordBytes: Int = 8) -> PostStep {
      X86_64.postXOL(
        treatment, registers: &registers, step: &step, wordBytes: wordBytes, memory: &memory)
    }

    mutating func abort() {
      X86_64.abortXOL(treatment, registers: &registers, step: &step)
    }

    /// The flags without the trap flag.
    var trapFlag: UInt64 { registers[X86Register.flags] & OutOfLineX86Tests.trap }
  }

  @Test("a step begins at the copy with the trap flag set and no fault")
  func pre() {
    var step = Step(.step(.instructionPointer))
    step.pre()
    #expect(step.registers[X86Register.ip] == Self.slot)
    #expect(step.trapFlag != 0)
    #expect(!step.step.wasTrapped)
  }

  @Test("after a step the instruction pointer is as if the original had run")
  func instructionPointer() {
    var step = Step(.step(.instructionPointer))
    step.pre()
    step.registers[X86Register.ip] = Self.slot + 7
    #expect(step.post() == PostStep())
    #expect(step.registers[X86Register.ip] == Self.site + 7)
    #expect(step.trapFlag == 0)
    #expect(step.step.faultNumber == 14)
  }

  @Test("an instruction that went somewhere absolute stays there")
  func absolute() {
    var step = Step(.step([]))
    step.pre()
    step.registers[X86Register.ip] = 0x1234
    #expect(step.post() == PostStep())
    #expect(step.registers[X86Register.ip] == 0x1234)
  }

  @Test("a stepped call returns behind the original", arguments: [4, 8])
  func call(wordBytes: Int) {
    var step = Step(.step(.returnAddress), length: 2)
    step.pre()
    // The copy has pushed the address behind itself and gone to its target.
    let below = EmulateX86Tests.stack - UInt64(wordBytes)
    _ = step.memory.writeWord(Self.slot + 2, at: below, bytes: wordBytes)
    step.registers[X86Register.sp] = below
    step.registers[X86Register.ip] = 0x1234
    #expect(step.post(wordBytes: wordBytes) == PostStep())
    #expect(step.memory.readWord(at: below, bytes: wordBytes) == Self.site + 2)
    #expect(step.registers[X86Register.sp] == below)
    #expect(step.registers[X86Register.ip] == 0x1234)
  }

  @Test("a stepped call whose return address cannot be set right runs again from the original")
  func failedCall() {
    var step = Step(.step(.returnAddress), length: 2, flags: Self.trap)
    step.pre()
    step.registers[X86Register.sp] -= 8
    step.registers[X86Register.ip] = 0x1234
    step.memory.isClosed = true
    #expect(step.post() == PostStep(restarts: true))
    #expect(step.registers[X86Register.ip] == Self.site)
    #expect(step.registers[X86Register.sp] == EmulateX86Tests.stack)
    #expect(step.trapFlag != 0)
  }

  @Test(
    "a scratch register holds the address behind the original during the step, then its own value",
    arguments: [
      (X86Treatment.FixUps.scratchSI, X86Register.si), (.scratchDI, X86Register.di),
      (.scratchBX, X86Register.bx),
    ])
  func scratch(fixUp: X86Treatment.FixUps, column: Int) {
    for isAborted in [false, true] {
      var step = Step(.step([.instructionPointer, fixUp]))
      let before = step.registers[column]
      step.pre()
      #expect(step.registers[column] == Self.site + 7)
      if isAborted { step.abort() } else { _ = step.post() }
      #expect(step.registers[column] == before)
    }
  }

  @Test("a task's own trap flag survives the step and raises its trap")
  func ownTrap() {
    var step = Step(.step(.instructionPointer), flags: Self.trap)
    step.pre()
    #expect(step.post() == PostStep(sendsTrap: true))
    #expect(step.trapFlag != 0)
  }

  @Test("after popf the trap flag is what it popped")
  func popf() {
    for popped in [0, Self.trap] {
      var step = Step(.step([.instructionPointer, .trapFlag]))
      step.pre()
      step.registers[X86Register.flags] = popped
      #expect(step.post() == PostStep())
      #expect(step.trapFlag == popped)
    }
  }

  @Test("a step that is given up leaves the task at the original")
  func abort() {
    for flags in [0, Self.trap] {
      var step = Step(.step(.instructionPointer), flags: flags)
      step.pre()
      step.registers[X86Register.ip] = Self.slot + 3
      step.step.faultNumber = 6
      step.abort()
      #expect(step.registers[X86Register.ip] == Self.site)
      #expect(step.trapFlag == flags)
      #expect(step.step.faultNumber == 14)
    }
  }

  @Test("a call that was executed because it could not be emulated is undone and runs again")
  func executedCall() {
    var step = Step(.call(offset: 0x1000), length: 5)
    step.pre()
    step.registers[X86Register.sp] -= 8
    step.registers[X86Register.ip] = Self.slot + 5
    #expect(step.post() == PostStep(restarts: true))
    #expect(step.registers[X86Register.ip] == Self.site)
    #expect(step.registers[X86Register.sp] == EmulateX86Tests.stack)
  }

  @Test("a push that was executed because it could not be emulated is left in the XOL page")
  func executedPush() {
    var step = Step(.push(column: 0), length: 1)
    step.pre()
    step.registers[X86Register.sp] -= 8
    step.registers[X86Register.ip] = Self.slot + 1
    #expect(step.post() == PostStep())
    #expect(step.registers[X86Register.ip] == Self.slot + 1)
    step.abort()
    #expect(step.registers[X86Register.ip] == Self.site)
  }

  @Test("a RIP-relative operand is rewritten to a register the instruction does not use")
  func ripRelative() throws {
    let displacement: [UInt8] = [0x11, 0x22, 0x33, 0x44]
    // mov %eax,(rip); mov %esi,(rip); mov %r14d,(rip); and with REX.B set without effect
    let cases: [(X86Encoding, [UInt8], X86Treatment.FixUps)] = [
      (.make([0x89], modRM: 0x05, displacement: displacement), [0x89, 0x86], .scratchSI),
      (.make([0x89], modRM: 0x35, displacement: displacement), [0x89, 0xb7], .scratchDI),
      (
        .make([0x89], rex: 0x45, modRM: 0x35, displacement: displacement), [0x44, 0x89, 0xb7],
        .scratchDI
      ),
      (
        .make([0x89], prefixes: [0x66], rex: 0x41, modRM: 0x3d, displacement: displacement),
        [0x66, 0x40, 0x89, 0xbe], .scratchSI
      ),
      // vaddps (rip),%ymm1,%ymm0: two-byte and three-byte VEX; vvvv names 1, 6 and 7
      (
        .make([0x58], vex: [0xc5, 0xf4], modRM: 0x05, displacement: displacement),
        [0xc5, 0xf4, 0x58, 0x86], .scratchSI
      ),
      (
        .make([0x58], vex: [0xc4, 0xc1, 0x4c], modRM: 0x05, displacement: displacement),
        [0xc4, 0xe1, 0x4c, 0x58, 0x87], .scratchDI
      ),
      (
        .make([0x58], vex: [0xc5, 0xcc], modRM: 0x3d, displacement: displacement),
        [0xc5, 0xcc, 0x58, 0xbb], .scratchBX
      ),
      (
        .make([0x58], vex: [0xc5, 0xc4], modRM: 0x35, displacement: displacement),
        [0xc5, 0xc4, 0x58, 0xb3], .scratchBX
      ),
      // vbroadcastss (rip),%xmm0, of another map of opcodes, with VEX.B set without effect
      (
        .make([0x18], vex: [0xc4, 0xc2, 0x79], modRM: 0x05, displacement: displacement),
        [0xc4, 0xe2, 0x79, 0x18, 0x86], .scratchSI
      ),
      // vaddps (rip){1to16},%zmm6,%zmm0: EVEX has vvvv in its third byte of four
      (
        .make([0x58], vex: [0x62, 0xf1, 0x4c, 0x58], modRM: 0x05, displacement: displacement),
        [0x62, 0xf1, 0x4c, 0x58, 0x58, 0x87], .scratchDI
      ),
    ]
    for (instruction, start, scratch) in cases {
      let treatment = try AnalyzeX86Tests.analyze(instruction)
      #expect(treatment.execution == .step([.instructionPointer, scratch]))
      #expect(treatment.copy == start + displacement, "\(instruction.bytes)")
    }
  }

  @Test("every fix-up is a bit of its own, the one that the kernel has for it")
  func fixUpBits() {
    let fixUps: [X86Treatment.FixUps] = [
      .instructionPointer, .returnAddress, .trapFlag, .scratchSI, .scratchDI, .scratchBX,
    ]
    #expect(fixUps.map(\.rawValue) == [0x01, 0x02, 0x04, 0x08, 0x10, 0x20])
  }

  @Test("indirect jumps and calls through a RIP-relative slot are rewritten as well")
  func ripRelativeBranches() throws {
    let jump = X86Encoding.make([0xff], modRM: 0x25, displacement: [1, 0, 0, 0])
    let call = X86Encoding.make([0xff], modRM: 0x15, displacement: [1, 0, 0, 0])
    #expect(try AnalyzeX86Tests.execution(jump) == .step(.scratchSI))
    #expect(try AnalyzeX86Tests.execution(call) == .step([.returnAddress, .scratchSI]))
    #expect(try AnalyzeX86Tests.analyze(call).copy == [0xff, 0x96, 1, 0, 0, 0])
  }

  @Test("other operands are left as they are, and in 32-bit mode the same bytes are absolute")
  func notRIPRelative() throws {
    for modRM in [0x45, 0x85, 0xc5, 0x04] as [UInt8] {
      let instruction = X86Encoding.make([0x89], modRM: modRM, displacement: [0, 0, 0, 0])
      #expect(try AnalyzeX86Tests.analyze(instruction).copy == instruction.bytes)
    }
    let absolute = X86Encoding.make(
      [0x89], modRM: 0x05, displacement: [0, 0, 0, 0], is64Bit: false)
    #expect(try AnalyzeX86Tests.execution(absolute) == .step(.instructionPointer))
  }
}

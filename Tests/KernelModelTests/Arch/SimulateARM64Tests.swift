import ProbeEvents
import Testing

@testable import KernelModel

@Suite("Simulation of arm64 instructions")
struct SimulateARM64Tests {
  static let site: UInt64 = 0x40_0100

  static func run(
    _ word: UInt32, _ simulation: ARM64Instruction.Simulation, state: UInt64 = 0,
    memory: TestMemory = TestMemory(), _ prepare: (inout RegisterFile) -> Void = { _ in }
  ) -> RegisterFile {
    var registers = RegisterFile()
    for column in 0..<33 { registers[column] = 0x1000 + UInt64(column) }
    registers[32] = site
    prepare(&registers)
    var memory = memory
    AArch64.simulate(
      ARM64Instruction(rawValue: word), as: simulation, registers: &registers, state: state,
      memory: &memory)
    return registers
  }

  @Test("branches go forward and back, and a call leaves its return address")
  func branches() {
    #expect(Self.run(0x1400_0002, .branch)[32] == Self.site + 8)
    #expect(Self.run(0x17ff_ffff, .branch)[32] == Self.site - 4)
    #expect(Self.run(0x1400_0002, .branch)[30] == 0x101e)
    #expect(Self.run(0x9400_0002, .branch)[30] == Self.site + 4)
    // The farthest in either direction.
    #expect(Self.run(0x15ff_ffff, .branch)[32] == Self.site + 0x7ff_fffc)
    #expect(Self.run(0x1600_0000, .branch)[32] == Self.site &- 0x800_0000)
  }

  @Test("br, blr and ret go to their register, blr x30 to what it held before")
  func registerBranches() {
    let br = Self.run(0xd61f_0020, .branchRegister)
    #expect(br[32] == 0x1001 && br[30] == 0x101e)
    let blr = Self.run(0xd63f_03c0, .branchRegister)
    #expect(blr[32] == 0x101e && blr[30] == Self.site + 4)
    let ret = Self.run(0xd65f_03c0, .branchRegister)
    #expect(ret[32] == 0x101e && ret[30] == 0x101e)
    #expect(Self.run(0xd61f_03e0, .branchRegister)[32] == 0)
  }

  @Test("all conditions in all combinations of flags")
  func conditions() {
    for flags in UInt64(0)..<16 {
      let (n, z, c, v) = (flags & 8 != 0, flags & 4 != 0, flags & 2 != 0, flags & 1 != 0)
      let table = [
        z, !z, c, !c, n, !n, v, !v, c && !z, !(c && !z), n == v, n != v, !z && n == v,
        !(!z && n == v), true, true,
      ]
      for condition in 0..<16 {
        let word = 0x5400_0040 | UInt32(condition)
        let registers = Self.run(word, .conditionalBranch, state: flags << 28)
        #expect(registers[32] == Self.site + (table[condition] ? 8 : 4))
      }
    }
  }

  @Test("compare-and-branch looks at the whole register or its lower half")
  func compareBranches() {
    for (value, isZero64, isZero32) in [
      (0, true, true), (1, false, false), (0x1_0000_0000, false, true),
    ] as [(UInt64, Bool, Bool)] {
      let cases: [(UInt32, Bool)] = [
        (0xb400_0040, isZero64), (0xb500_0040, !isZero64), (0x3400_0040, isZero32),
        (0x3500_0040, !isZero32),
      ]
      for (word, isTaken) in cases {
        let registers = Self.run(word, .compareBranch) { $0[0] = value }
        #expect(registers[32] == Self.site + (isTaken ? 8 : 4))
      }
    }
    // Register 31 is zero.
    #expect(Self.run(0xb400_005f, .compareBranch)[32] == Self.site + 8)
  }

  @Test("test-and-branch looks at one bit")
  func testBranches() {
    for bit in 0..<64 {
      let field = UInt32(bit & 0x1f) << 19 | UInt32(bit >> 5) << 31
      for isSet in [false, true] {
        let value: UInt64 = isSet ? 1 << UInt64(bit) : ~(1 << UInt64(bit))
        let zero = Self.run(0x3600_0040 | field, .testBranch) { $0[0] = value }
        #expect(zero[32] == Self.site + (isSet ? 4 : 8))
        let notZero = Self.run(0x3700_0040 | field, .testBranch) { $0[0] = value }
        #expect(notZero[32] == Self.site + (isSet ? 8 : 4))
      }
    }
    #expect(Self.run(0x3607_ffe1, .testBranch) { $0[1] = 0 }[32] == Self.site - 4)
  }

  @Test("adr and adrp compute their address")
  func addresses() {
    #expect(Self.run(0x1000_0040, .address)[0] == Self.site + 8)
    #expect(Self.run(0x7000_0040, .address)[0] == Self.site + 11)
    #expect(Self.run(0x70ff_ffe0, .address)[0] == Self.site - 1)
    #expect(Self.run(0xb000_0000, .address)[0] == 0x40_1000)
    #expect(Self.run(0xf0ff_ffe0, .address)[0] == 0x3f_f000)
    let ignored = Self.run(0x1000_005f, .address)
    #expect(ignored[31] == 0x101f && ignored[32] == Self.site + 4)
  }

  @Test("loads of a literal read where it is, and nothing where it is not")
  func literals() {
    let memory = TestMemory([Self.site + 8: 0x8899_aabb_ccdd_eeff])
    #expect(Self.run(0x5800_0040, .loadLiteral, memory: memory)[0] == 0x8899_aabb_ccdd_eeff)
    #expect(Self.run(0x1800_0040, .loadLiteral, memory: memory)[0] == 0xccdd_eeff)
    #expect(
      Self.run(0x9800_0040, .loadSignedLiteral, memory: memory)[0] == 0xffff_ffff_ccdd_eeff)
    for (word, kind) in [
      (0x5800_0040, ARM64Instruction.Simulation.loadLiteral), (0x9800_0040, .loadSignedLiteral),
    ] {
      let registers = Self.run(UInt32(word), kind)
      #expect(registers[0] == 0x1000 && registers[32] == Self.site + 4)
    }
  }

  @Test("conditional branches and literals reach backwards as well")
  func backwards() {
    // b.eq .-8 with the zero flag; ldr x0,.-8; ldrsw x0,.-8, of four bytes and no more
    #expect(Self.run(0x54ff_ffc0, .conditionalBranch, state: 1 << 30)[32] == Self.site - 8)
    var memory = TestMemory([Self.site - 8: 0x1122_3344_8899_aabb])
    #expect(Self.run(0x58ff_ffc0, .loadLiteral, memory: memory)[0] == 0x1122_3344_8899_aabb)
    for address in Self.site - 4..<Self.site { memory.bytes[address] = nil }
    #expect(
      Self.run(0x98ff_ffc0, .loadSignedLiteral, memory: memory)[0] == 0xffff_ffff_8899_aabb)
  }

  @Test("a nop goes on")
  func nop() {
    #expect(Self.run(0xd503_201f, .nop)[32] == Self.site + 4)
  }

  @Test("a step goes through the copy to behind the original, or back to it")
  func step() {
    for isAborted in [false, true] {
      var registers = RegisterFile()
      registers[32] = Self.site
      var step = SingleStep()
      step.address = Self.site
      step.xolAddress = 0x7fff_f004
      step.faultNumber = 7
      AArch64.preXOL(registers: &registers, step: &step)
      #expect(registers[32] == 0x7fff_f004)
      #expect(step.isSteppingEnabled && !step.wasTrapped)
      if isAborted {
        AArch64.abortXOL(registers: &registers, step: &step)
      } else {
        #expect(AArch64.postXOL(registers: &registers, step: &step) == PostStep())
      }
      #expect(registers[32] == Self.site + (isAborted ? 0 : 4))
      #expect(!step.isSteppingEnabled)
    }
  }
}

import ProbeEvents
import Testing

@testable import KernelModel

@Suite("arm64 instructions")
struct ARM64InstructionTests {
  typealias Simulation = ARM64Instruction.Simulation

  /// What the kernel does with an instruction: nil for refused.
  enum Verdict: Equatable {
    case stepped
    case simulated(Simulation)
    case refused
  }

  static func verdict(
    _ word: UInt32, _ epoch: Epoch = .e7, at address: UInt64 = 0x40_0000
  ) -> Verdict {
    do throws(UprobeRefusal) {
      let simulation = try AArch64.analyzeInstruction(
        ARM64Instruction(rawValue: word), at: address, isCompat: false,
        rules: UprobeRules(epoch: epoch, architecture: .aarch64))
      return simulation.map { .simulated($0) } ?? .stepped
    } catch {
      return error == .rejectedInstruction ? .refused : .stepped
    }
  }

  /// Words as GNU as encodes them.
  static let words: [(String, UInt32, Verdict)] = [
    ("b .+8", 0x1400_0002, .simulated(.branch)), ("bl .+8", 0x9400_0002, .simulated(.branch)),
    ("b.eq .+8", 0x5400_0040, .simulated(.conditionalBranch)),
    ("cbz x0,.+8", 0xb400_0040, .simulated(.compareBranch)),
    ("cbnz w0,.+8", 0x3500_0040, .simulated(.compareBranch)),
    ("tbz w0,#3,.+8", 0x3618_0040, .simulated(.testBranch)),
    ("tbnz x0,#35,.+8", 0xb718_0040, .simulated(.testBranch)),
    ("adr x0,.+8", 0x1000_0040, .simulated(.address)),
    ("adrp x0,.", 0x9000_0000, .simulated(.address)),
    ("br x1", 0xd61f_0020, .simulated(.branchRegister)),
    ("blr x1", 0xd63f_0020, .simulated(.branchRegister)),
    ("ret", 0xd65f_03c0, .simulated(.branchRegister)),
    ("ret x1", 0xd65f_0020, .simulated(.branchRegister)),
    ("retaa", 0xd65f_0bff, .refused), ("retab", 0xd65f_0fff, .refused),
    ("braaz x1", 0xd61f_083f, .refused), ("blraa x1,x2", 0xd73f_0822, .refused),
    ("eret", 0xd69f_03e0, .refused), ("eretaa", 0xd69f_0bff, .refused),
    ("svc #0", 0xd400_0001, .refused), ("brk #0", 0xd420_0000, .refused),
    ("hlt #0", 0xd440_0000, .refused),
    ("msr nzcv,x0", 0xd51b_4200, .refused), ("msr daifset,#2", 0xd503_42df, .refused),
    ("mrs x0,tpidr_el0", 0xd53b_d040, .stepped), ("mrs x0,daif", 0xd53b_4220, .refused),
    ("msr nzcv,x1", 0xd51b_4201, .refused), ("mrs x1,daif", 0xd53b_4221, .refused),
    ("xpaclri", 0xd503_20ff, .stepped), ("pacia1716", 0xd503_211f, .stepped),
    ("pacib1716", 0xd503_215f, .stepped), ("paciaz", 0xd503_231f, .stepped),
    ("paciasp", 0xd503_233f, .stepped), ("pacibz", 0xd503_235f, .stepped),
    ("pacibsp", 0xd503_237f, .stepped), ("bti", 0xd503_241f, .stepped),
    ("bti c", 0xd503_245f, .stepped), ("bti j", 0xd503_249f, .stepped),
    ("bti jc", 0xd503_24df, .stepped),
    ("yield", 0xd503_203f, .refused), ("wfe", 0xd503_205f, .refused),
    ("esb", 0xd503_221f, .refused), ("autiasp", 0xd503_23bf, .refused),
    ("autia1716", 0xd503_219f, .refused), ("csdb", 0xd503_229f, .refused),
    ("dsb sy", 0xd503_3f9f, .stepped), ("isb", 0xd503_3fdf, .stepped),
    ("prfm pldl1keep,.", 0xd800_0000, .refused), ("prfm pldl1strm,.", 0xd800_0001, .refused),
    ("ldr q0,.", 0x9c00_0000, .stepped), ("ldr s0,.", 0x1c00_0000, .stepped),
    ("ldxr x0,[x1]", 0xc85f_7c20, .refused), ("stxr w0,x1,[x2]", 0xc800_7c41, .refused),
    ("ldar x0,[x1]", 0xc8df_fc20, .stepped), ("casal x0,x1,[x2]", 0xc8e0_fc41, .stepped),
    ("stp x29,x30,[sp,#-16]!", 0xa9bf_7bfd, .stepped), ("add x0,x1,x2", 0x8b02_0020, .stepped),
    ("mov x29,sp", 0x9100_03fd, .stepped), ("fadd d0,d1,d2", 0x1e62_2820, .stepped),
    ("ldadd x0,x1,[x2]", 0xf820_0041, .stepped),
  ]

  @Test("each class is simulated, stepped or refused")
  func classes() {
    for (text, word, expected) in Self.words {
      #expect(Self.verdict(word) == expected, "\(text)")
    }
  }

  @Test("branches that authenticate are refused, whatever their registers")
  func authenticatedBranches() {
    for registers in 0..<0x400 as Range<UInt32> {
      // braa, brab and their forms with zero; blraa and its own; key and modifier are in bits.
      for form in [0xd61f_0800, 0xd61f_0c00, 0xd71f_0800, 0xd63f_0800, 0xd73f_0c00] as [UInt32] {
        #expect(Self.verdict(form | registers) == .refused)
      }
    }
  }

  @Test("loads of a literal are simulated until 6.11 and refused since")
  func literals() {
    for (word, simulation) in [
      (0x5800_0040, Simulation.loadLiteral), (0x1800_0040, .loadLiteral),
      (0x9800_0040, .loadSignedLiteral),
    ] {
      #expect(Self.verdict(UInt32(word), .e4) == .simulated(simulation))
      #expect(Self.verdict(UInt32(word), .e5) == .refused)
      #expect(Self.verdict(UInt32(word), .e9) == .refused)
    }
  }

  @Test("the nop is stepped until 6.12 and simulated since")
  func nop() {
    #expect(Self.verdict(0xd503_201f, .e5) == .stepped)
    #expect(Self.verdict(0xd503_201f, .e6) == .simulated(.nop))
  }

  @Test("parts of memory copies are refused since 6.12")
  func memoryCopies() {
    // cpyfp [x0]!,[x1]!,x2!; cpyfp [x1]!,[x2]!,x3!; setp [x0]!,x1!,x2
    for word in [0x1901_0440, 0x1902_0461, 0x19c2_0420] as [UInt32] {
      #expect(Self.verdict(word, .e4) == .stepped)
      #expect(Self.verdict(word, .e5) == .refused)
    }
  }

  @Test("a 32-bit process is refused before anything else is looked at")
  func compat() {
    for (epoch, errno) in [(Epoch.e2, Int32(524)), (.e8, 95)] {
      let rules = UprobeRules(epoch: epoch, architecture: .aarch64)
      #expect(throws: UprobeRefusal.compatTask(errno: errno)) {
        try rules.analyzeInstruction(
          .arm64(ARM64Instruction(rawValue: 0xd400_0001)), at: 0x40_0001, isCompat: true)
      }
    }
  }

  @Test("an address that is not aligned is refused", arguments: UInt64(0)..<8)
  func alignment(offset: UInt64) throws {
    let rules = UprobeRules(epoch: .e8, architecture: .aarch64)
    let instruction = ProbedInstruction.arm64(ARM64Instruction(rawValue: 0xd400_0001))
    #expect(
      throws: offset % 4 == 0
        ? UprobeRefusal.rejectedInstruction : UprobeRefusal.misalignedInstruction
    ) {
      try rules.analyzeInstruction(instruction, at: 0x40_0000 + offset, isCompat: false)
    }
  }

  @Test("the breakpoint is BRK with the number of uprobes, and is never made a call")
  func breakpoint() {
    #expect(ARM64Instruction.breakpoint.rawValue == 0xd420_0000 | 5 << 5)
    #expect(!InstructionTreatment.arm64(.breakpoint, nil).canBeOptimized)
  }
}

/// An arm64 instruction word and the classes the kernel sorts it into.
///
/// Kernel: arch/arm64/include/asm/insn.h, arch/arm64/lib/insn.c
public struct ARM64Instruction: RawRepresentable, Sendable, Hashable, BitwiseCopyable {
  /// The instruction word.
  public var rawValue: UInt32

  /// The instruction with a word.
  public init(rawValue: UInt32) { self.rawValue = rawValue }

  /// The breakpoint that stands for a uprobe: `brk #5`.
  public static let breakpoint = ARM64Instruction(rawValue: 0xd420_00a0)

  /// What the kernel simulates, by the shape of the instruction.
  public enum Simulation: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    case nop
    case conditionalBranch
    case compareBranch
    case testBranch
    case address
    case branch
    case branchRegister
    case loadLiteral
    case loadSignedLiteral
  }

  func matches(_ mask: UInt32, _ value: UInt32) -> Bool { rawValue & mask == value }

  var isConditionalBranch: Bool { matches(0xff00_0010, 0x5400_0000) }
  /// `cbz` and `cbnz`.
  var isCompareBranch: Bool { matches(0x7e00_0000, 0x3400_0000) }
  /// `tbz` and `tbnz`.
  var isTestBranch: Bool { matches(0x7e00_0000, 0x3600_0000) }
  /// `b` and `bl`.
  var isBranch: Bool { matches(0x7c00_0000, 0x1400_0000) }
  /// `br`, `blr` and `ret`.
  var isBranchRegister: Bool {
    matches(0xffff_fc1f, 0xd61f_0000) || matches(0xffff_fc1f, 0xd63f_0000)
      || matches(0xffff_fc1f, 0xd65f_0000)
  }
  /// The same with pointer authentication.
  var isAuthenticatedBranch: Bool {
    matches(0xfeff_f800, 0xd61f_0800) || matches(0xfeff_f800, 0xd63f_0800)
      || matches(0xffff_fbff, 0xd65f_0bff)
  }
  var isExceptionReturn: Bool {
    matches(0xffff_ffff, 0xd69f_03e0) || matches(0xffff_fbff, 0xd69f_0bff)
  }
  var isException: Bool { matches(0xff00_0000, 0xd400_0000) }
  /// Writes to system registers and to the processor state.
  var isSystemWrite: Bool {
    matches(0xfff8_f01f, 0xd500_401f) || matches(0xfff0_0000, 0xd510_0000)
  }
  var isSystemRead: Bool { matches(0xfff0_0000, 0xd530_0000) }
  var isHint: Bool { matches(0xffff_f01f, 0xd503_201f) }
  var isExclusive: Bool { matches(0x3f80_0000, 0x0800_0000) }
  /// The parts of a memory copy or memory set.
  var isMemoryCopy: Bool { matches(0x3b20_0c00, 0x1900_0400) }
  /// `adr` and `adrp`.
  var isAddress: Bool { matches(0x1f00_0000, 0x1000_0000) }
  var isLoadLiteral: Bool { matches(0xbf00_0000, 0x1800_0000) }
  var isLoadSignedLiteral: Bool { matches(0xff00_0000, 0x9800_0000) }
  var isPrefetchLiteral: Bool { matches(0xff00_0000, 0xd800_0000) }

  /// Whether it is a branch, an exception or a system instruction (by its major opcode).
  var isBranchOrSystem: Bool { [0xa, 0xb].contains(rawValue >> 25 & 0xf) }

  /// The hints that may be stepped: nop, xpaclri, those that sign a pointer, and branch targets.
  ///
  /// Kernel: arch/arm64/lib/insn.c aarch64_insn_is_steppable_hint()
  var isSteppableHint: Bool {
    switch rawValue >> 5 & 0x7f {
    case 0x00, 0x07, 0x08, 0x0a, 0x18, 0x19, 0x1a, 0x1b, 0x20, 0x22, 0x24, 0x26: isHint
    default: false
    }
  }

  /// The number of bits from `low` as a signed distance in units of 4 bytes.
  func offset(from low: UInt32, bits: UInt32) -> UInt64 {
    let field = rawValue >> low & (1 << bits - 1)
    // Shifted up to the sign bit and back, the field extends its sign.
    let signed = Int32(bitPattern: field << (32 - bits)) >> (32 - bits)
    return UInt64(bitPattern: Int64(signed) * 4)
  }
}

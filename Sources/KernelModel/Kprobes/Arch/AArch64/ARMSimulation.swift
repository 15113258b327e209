internal import ProbeEvents

/// An instruction whose result depends on where it is, done by the kernel instead of being stepped.
///
/// Kernel: arch/arm64/kernel/probes/simulate-insn.c
public enum ARMSimulation: Sendable, Hashable {
  /// B and BL.
  case branch(Int64, links: Bool)
  /// B.cond.
  case conditionalBranch(UInt8, Int64)
  /// CBZ and CBNZ.
  case compareBranch(Int, isWide: Bool, nonZero: Bool, Int64)
  /// TBZ and TBNZ.
  case testBranch(Int, bit: UInt64, nonZero: Bool, Int64)
  /// BR, BLR and RET.
  case registerBranch(Int, links: Bool)
  /// ADR and ADRP.
  case address(Int, Int64, isPage: Bool)
  /// LDR and LDRSW of a literal.
  case literal(Int, Int64, Width)

  /// What a literal load reads.
  public enum Width: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// 32 bits, zero-extended.
    case word
    /// 64 bits.
    case double
    /// 32 bits, sign-extended.
    case signedWord
  }

  /// What is simulated of an instruction; nil if it is not.
  ///
  /// Kernel: arch/arm64/kernel/probes/decode-insn.c arm_probe_decode_insn()
  init?(_ word: UInt32) {
    let register = Int(word & 31)
    let offset19 = Self.signed(word >> 5, bits: 19) * 4
    if word & 0x7c00_0000 == 0x1400_0000 {
      self = .branch(Self.signed(word, bits: 26) * 4, links: word >> 31 == 1)
    } else if word & 0xff00_0010 == 0x5400_0000 {
      self = .conditionalBranch(UInt8(word & 15), offset19)
    } else if word & 0x7e00_0000 == 0x3400_0000 {
      self = .compareBranch(
        register, isWide: word >> 31 == 1, nonZero: word >> 24 & 1 == 1, offset19)
    } else if word & 0x7e00_0000 == 0x3600_0000 {
      self = .testBranch(
        register, bit: UInt64((word >> 31) << 5 | word >> 19 & 31), nonZero: word >> 24 & 1 == 1,
        Self.signed(word >> 5, bits: 14) * 4)
    } else if word & 0xff9f_fc1f == 0xd61f_0000 && word >> 21 & 3 != 3 {
      self = .registerBranch(Int(word >> 5 & 31), links: word >> 21 & 3 == 1)
    } else if word & 0x1f00_0000 == 0x1000_0000 {
      let offset = Self.signed(word >> 5, bits: 19) << 2 | Int64(word >> 29 & 3)
      let isPage = word >> 31 == 1
      self = .address(register, isPage ? offset << 12 : offset, isPage: isPage)
    } else if word & 0xbf00_0000 == 0x1800_0000 {
      self = .literal(register, offset19, word >> 30 & 1 == 1 ? .double : .word)
    } else if word & 0xff00_0000 == 0x9800_0000 {
      self = .literal(register, offset19, .signedWord)
    } else {
      return nil
    }
  }

  /// Does it.
  func run(
    on registers: inout KprobeRegisters, at address: Address, literals: [Address: UInt64]
  ) {
    var target = address &+ 4
    switch self {
    case .branch(let offset, let links):
      if links { registers.setARM(30, address &+ 4) }
      target = address.advanced(offset)
    case .conditionalBranch(let condition, let offset):
      if Self.isMet(condition, registers.flags) { target = address.advanced(offset) }
    case .compareBranch(let register, let isWide, let nonZero, let offset):
      let value = registers.arm(register) & (isWide ? .max : 0xffff_ffff)
      if (value != 0) == nonZero { target = address.advanced(offset) }
    case .testBranch(let register, let bit, let nonZero, let offset):
      let isSet = registers.arm(register) >> bit & 1 == 1
      if isSet == nonZero { target = address.advanced(offset) }
    case .registerBranch(let register, let links):
      // Read first: the link register may be the one.
      target = registers.arm(register)
      if links { registers.setARM(30, address &+ 4) }
    case .address(let register, let offset, let isPage):
      let base = isPage ? address & ~0xfff : address
      registers.setARM(register, base.advanced(offset))
    case .literal(let register, let offset, let width):
      let value = literals[address.advanced(offset)] ?? 0
      switch width {
      case .double: registers.setARM(register, value)
      case .word: registers.setARM(register, value & 0xffff_ffff)
      case .signedWord:
        let low = Int32(truncatingIfNeeded: value)
        registers.setARM(register, UInt64(bitPattern: Int64(low)))
      }
    }
    registers.instructionPointer = target
  }

  /// Whether the flags meet a condition. The last two are always met.
  static func isMet(_ condition: UInt8, _ flags: UInt64) -> Bool {
    let negative = flags >> 31 & 1 == 1
    let zero = flags >> 30 & 1 == 1
    let carry = flags >> 29 & 1 == 1
    let overflow = flags >> 28 & 1 == 1
    let isSet =
      switch condition >> 1 & 7 {
      case 0: zero
      case 1: carry
      case 2: negative
      case 3: overflow
      case 4: carry && !zero
      case 5: negative == overflow
      case 6: negative == overflow && !zero
      default: true
      }
    return condition >> 1 & 7 == 7 ? true : isSet != (condition & 1 != 0)
  }

  /// The low bits of a word as a signed number.
  private static func signed(_ word: UInt32, bits: Int) -> Int64 {
    let shift = 64 - bits
    return Int64(bitPattern: UInt64(word) << UInt64(shift)) >> Int64(shift)
  }
}

extension UInt64 {
  fileprivate func advanced(_ offset: Int64) -> UInt64 { self &+ UInt64(bitPattern: offset) }
}

extension KprobeRegisters {
  /// A general register by arm64's number; 31 reads as zero.
  func arm(_ number: Int) -> UInt64 { number == 31 ? 0 : general[number & 31] }

  /// Writes one; 31 keeps nothing.
  mutating func setARM(_ number: Int, _ value: UInt64) {
    if number != 31 { general[number & 31] = value }
  }
}

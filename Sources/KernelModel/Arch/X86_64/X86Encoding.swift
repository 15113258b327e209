/// A decoded x86 instruction, in the parts the kernel's own decoder tells apart.
///
/// Whoever makes one is asked for the encoding only. What it means for a probe is decided here.
///
/// Kernel: arch/x86/include/asm/insn.h `struct insn`
public struct X86Encoding: Sendable, Hashable {
  /// All bytes of the instruction, 1...15.
  public var bytes: [UInt8]
  /// Whether it was decoded for 64-bit mode.
  public var is64Bit: Bool
  /// Legacy prefixes, in order.
  public var prefixes: [UInt8]
  /// The REX prefix.
  public var rex: UInt8?
  /// The VEX (2 or 3 bytes) or EVEX (4) prefix; empty when there is none.
  public var vex: [UInt8]
  /// Opcode bytes, 1...3. After a VEX prefix there is only one, and no escape byte.
  public var opcode: [UInt8]
  /// The ModRM byte.
  public var modRM: UInt8?
  /// The SIB byte.
  public var sib: UInt8?
  /// Displacement, sign-extended; 0 when there is none.
  public var displacement: Int64
  /// Immediate, sign-extended; 0 when there is none.
  public var immediate: Int64
  /// Size of the immediate in bytes.
  public var immediateBytes: Int
  /// Size of the operands in bytes: 2, 4 or 8.
  public var operandBytes: Int

  /// A decoded instruction.
  public init(
    bytes: [UInt8], is64Bit: Bool = true, prefixes: [UInt8] = [], rex: UInt8? = nil,
    vex: [UInt8] = [], opcode: [UInt8], modRM: UInt8? = nil, sib: UInt8? = nil,
    displacement: Int64 = 0, immediate: Int64 = 0, immediateBytes: Int = 0, operandBytes: Int = 4
  ) {
    self.bytes = bytes
    self.is64Bit = is64Bit
    self.prefixes = prefixes
    self.rex = rex
    self.vex = vex
    self.opcode = opcode
    self.modRM = modRM
    self.sib = sib
    self.displacement = displacement
    self.immediate = immediate
    self.immediateBytes = immediateBytes
    self.operandBytes = operandBytes
  }

  /// Length in bytes.
  public var length: Int { bytes.count }

  /// The first opcode byte; 0 for a value without any, which no decoder makes.
  var opcode1: UInt8 { opcode.first ?? 0 }

  /// The second opcode byte; 0 when there is none.
  var opcode2: UInt8 { opcode.count > 1 ? opcode[1] : 0 }

  /// The `mod` field; 0 without a ModRM byte, as in the kernel.
  var mod: UInt8 { (modRM ?? 0) >> 6 }

  /// The `reg` field without its extension by REX.
  var reg: UInt8 { (modRM ?? 0) >> 3 & 7 }

  /// The `rm` field without its extension by REX.
  var rm: UInt8 { (modRM ?? 0) & 7 }

  /// Distance of the ModRM byte from the first byte.
  var modRMOffset: Int { prefixes.count + (rex == nil ? 0 : 1) + vex.count + opcode.count }

  /// Whether the memory operand is relative to the instruction pointer.
  ///
  /// Kernel: arch/x86/lib/insn.c insn_rip_relative()
  var isRIPRelative: Bool { is64Bit && modRM != nil && mod == 0 && rm == 5 }
}

public import ProbeEvents

/// An instruction as a decoder describes it.
public enum KprobeInstruction: Sendable, Hashable {
  /// x86-64: the parts that matter here.
  case x86(X86Instruction)
  /// arm64: the word.
  case arm(UInt32)

  /// An instruction that does nothing special: a one-byte push on x86-64, an addition on arm64.
  public static func plain(_ architecture: Architecture) -> Self {
    switch architecture {
    case .x86_64: .x86(X86Instruction(opcode: 0x55, length: 1))
    case .aarch64: .arm(0x9100_0000)
    }
  }
}

/// The parts of an x86-64 instruction that decide how it is probed.
public struct X86Instruction: Sendable, Hashable {
  /// The first byte of the opcode, behind the prefixes.
  public var opcode: UInt8
  /// The second byte of a two-byte opcode.
  public var secondOpcode: UInt8
  /// The ModR/M byte, zero if there is none.
  public var modRM: UInt8
  /// Whether a prefix extends the register of ModR/M (REX.B).
  public var extendsRegister: Bool
  /// The immediate operand, sign-extended from its size.
  public var immediate: Int32
  /// The displacement, if it is relative to the instruction pointer.
  public var relativeDisplacement: Int32?
  /// The size of addresses in bytes: 2, 4 or 8.
  public var addressBytes: Int
  /// The length in bytes, at most 15.
  public var length: UInt64
  /// Whether the copy may run on into a jump.
  public var canBoost: Bool
  /// Whether it has a prefix that asks a hypervisor to emulate it.
  public var isForcedEmulation: Bool
  /// Whether it holds off exceptions until the next instruction has run (loads of the stack
  /// segment).
  public var masksExceptions: Bool

  /// An instruction.
  public init(
    opcode: UInt8, secondOpcode: UInt8 = 0, modRM: UInt8 = 0, extendsRegister: Bool = false,
    immediate: Int32 = 0, relativeDisplacement: Int32? = nil, addressBytes: Int = 8,
    length: UInt64, canBoost: Bool = false, isForcedEmulation: Bool = false,
    masksExceptions: Bool = false
  ) {
    self.opcode = opcode
    self.secondOpcode = secondOpcode
    self.modRM = modRM
    self.extendsRegister = extendsRegister
    self.immediate = immediate
    self.relativeDisplacement = relativeDisplacement
    self.addressBytes = addressBytes
    self.length = length
    self.canBoost = canBoost
    self.isForcedEmulation = isForcedEmulation
    self.masksExceptions = masksExceptions
  }

  /// The middle field of ModR/M, which extends the opcode.
  var modRMRegister: UInt8 { modRM >> 3 & 7 }
  /// The upper field of ModR/M: 3 means a register operand.
  var modRMMode: UInt8 { modRM >> 6 }
}

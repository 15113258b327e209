import CCapstone
public import KernelModel
public import ProbeEvents

/// Takes probed instructions apart for the kernel model, which knows what they mean but not where
/// they end.
///
/// Capstone says how long an x86 instruction is and whether it has a ModRM byte; the parts follow
/// from the encoding. Where the kernel's own decoder and Capstone disagree about whether bytes are an
/// instruction at all, this is Capstone's answer, except that opcodes which 64-bit mode has lost are
/// instructions for the kernel. An arm64 instruction is a word and needs no
/// decoding.
public struct InstructionDecoder: ~Copyable {
  let disassembler: Disassembler

  /// A decoder; nil when this Capstone was built without the architecture.
  ///
  /// - Parameter isCompat: whether to decode for 32-bit mode (x86 only).
  public init?(_ architecture: Architecture, isCompat: Bool = false) {
    guard let disassembler = Disassembler(architecture, isCompat: isCompat) else { return nil }
    self.disassembler = disassembler
  }

  var architecture: Architecture { disassembler.architecture }
  private var isCompat: Bool { disassembler.isCompat }

  /// The instruction that some bytes begin with.
  ///
  /// - Parameter bytes: what is in the file from the probed offset on; the kernel looks at 16 bytes
  ///   on x86 and at 4 on arm64.
  public func decode(_ bytes: [UInt8]) -> ProbedInstruction {
    switch architecture {
    case .x86_64:
      let bytes = Array(bytes.prefix(16))
      let instruction = decodeX86(bytes) ?? (isCompat ? nil : X86Encoding(lostOpcodeIn: bytes))
      return instruction.map { .x86($0) } ?? .undecodable
    case .aarch64:
      guard bytes.count >= 4 else { return .undecodable }
      let word = bytes.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      return .arm64(ARM64Instruction(rawValue: word))
    }
  }

  private func decodeX86(_ bytes: [UInt8]) -> X86Encoding? {
    // The pointer is used inside the closure alone.
    unsafe disassembler.withDecoded(bytes) { instruction in
      // The details are there since the option is on, and the union's member is this architecture's.
      guard let detail = unsafe instruction.pointee.detail else { return nil }
      let length = Int(unsafe instruction.pointee.size)
      guard length > 0, length <= bytes.count else { return nil }
      return unsafe X86Encoding(
        splitting: Array(bytes.prefix(length)), is64Bit: !isCompat,
        hasModRM: detail.pointee.x86.encoding.modrm_offset != 0)
    }
  }
}

import CCapstone
import InstructionDecoding
import ProbeEvents

/// What is asked about a program's code: where instructions begin, and which addresses they load.
struct CodeDecoder: ~Copyable {
  private let disassembler: Disassembler

  /// The size of every instruction in bytes, where they all have one size.
  var fixedSize: Int? {
    switch disassembler.architecture {
    case .x86_64: nil
    case .aarch64: 4
    }
  }

  /// One decoded instruction.
  struct Decoded {
    let size: Int
    /// The address that a `lea` relative to `rip` computes (x86_64 only).
    let loadedAddress: UInt64?
  }

  /// A decoder, or nil when this Capstone was built without the architecture.
  init?(_ architecture: Architecture) {
    guard let disassembler = Disassembler(architecture) else { return nil }
    self.disassembler = disassembler
  }

  /// The instruction at an index of some code, or nil when the bytes are none.
  func decode(_ code: [UInt8], at index: Int, address: UInt64) -> Decoded? {
    // The pointer is used inside the closure alone.
    unsafe disassembler.withDecoded(code, at: index, address: address) { instruction in
      unsafe Decoded(
        size: Int(instruction.pointee.size), loadedAddress: loadedAddress(of: instruction.pointee))
    }
  }

  private func loadedAddress(of instruction: cs_insn) -> UInt64? {
    guard disassembler.architecture == .x86_64 else { return nil }
    // The details are there since the option is on, the union's member is this architecture's, and
    // the operands are an array of fixed length.
    guard let detail = unsafe instruction.detail else { return nil }
    if unsafe instruction.id == UInt32(X86_INS_LEA.rawValue),
      unsafe detail.pointee.x86.op_count == 2
    {
      let source = unsafe detail.pointee.x86.operands.1
      guard source.type == X86_OP_MEM, source.mem.base == X86_REG_RIP else { return nil }
      return unsafe instruction.address &+ UInt64(instruction.size)
        &+ UInt64(bitPattern: source.mem.disp)
    }
    return nil
  }
}

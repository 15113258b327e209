import CCapstone
public import KernelModel
public import ProbeEvents
import Synchronization

/// Takes probed instructions apart for the kernel model, which knows what they mean but not where
/// they end.
///
/// Capstone says how long an x86 instruction is and whether it has a ModRM byte; the parts follow
/// from the encoding. Where the kernel's own decoder and Capstone disagree about whether bytes are an
/// instruction at all, this is Capstone's answer, except that opcodes which 64-bit mode has lost are
/// instructions for the kernel. An arm64 instruction is a word and needs no
/// decoding.
@safe
public struct InstructionDecoder: ~Copyable {
  /// Taken for whatever has Capstone decode: it sorts a table that all handles share when it needs it
  /// first, and who looks into it meanwhile misses operands (`X86_insn_reg_intel()` of version 4).
  private static let tables = Mutex(())

  let handle: csh
  private let instruction: UnsafeMutablePointer<cs_insn>
  let architecture: Architecture
  private let isCompat: Bool

  /// A decoder; nil when this Capstone was built without the architecture.
  ///
  /// - Parameter isCompat: whether to decode for 32-bit mode (x86 only).
  public init?(_ architecture: Architecture, isCompat: Bool = false) {
    var handle: csh = 0
    let (kind, mode) =
      switch architecture {
      case .x86_64: (CS_ARCH_X86, isCompat ? CS_MODE_32 : CS_MODE_64)
      case .aarch64: (CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN)
      }
    // `handle` is a whole value of the type the call fills.
    guard unsafe cs_open(kind, mode, &handle) == CS_ERR_OK else { return nil }
    _ = cs_option(handle, CS_OPT_DETAIL, Int(CS_OPT_ON.rawValue))
    // With the option set, the instruction has room for the details read below.
    guard let instruction = unsafe cs_malloc(handle) else {
      _ = unsafe cs_close(&handle)
      return nil
    }
    self.handle = handle
    unsafe self.instruction = instruction
    self.architecture = architecture
    self.isCompat = isCompat
  }

  deinit {
    // One instruction was allocated; neither it nor the handle is used again.
    unsafe cs_free(instruction, 1)
    var handle = handle
    _ = unsafe cs_close(&handle)
  }

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
    unsafe withDecoded(bytes) { instruction in
      // The details are there since the option is on, and the union's member is this architecture's.
      guard let detail = unsafe instruction.pointee.detail else { return nil }
      let length = Int(unsafe instruction.pointee.size)
      guard length > 0, length <= bytes.count else { return nil }
      return unsafe X86Encoding(
        splitting: Array(bytes.prefix(length)), is64Bit: !isCompat,
        hasModRM: detail.pointee.x86.encoding.modrm_offset != 0)
    }
  }

  /// Calls `body` with the instruction that some bytes begin with; nil when they are none. The
  /// pointer must not leave the closure.
  func withDecoded<Result>(
    _ bytes: [UInt8], _ body: (UnsafeMutablePointer<cs_insn>) -> Result?
  ) -> Result? {
    let isDecoded = unsafe bytes.withUnsafeBufferPointer { buffer in
      var start = buffer.baseAddress
      var remaining = buffer.count
      var address: UInt64 = 0
      return Self.tables.withLock { _ in
        // Capstone reads at most `remaining` bytes from `start`, which are the buffer's.
        unsafe cs_disasm_iter(handle, &start, &remaining, &address, instruction)
      }
    }
    return isDecoded ? unsafe body(instruction) : nil
  }
}

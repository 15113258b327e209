import CCapstone
import ProbeEvents

/// Capstone for one architecture: where instructions begin, and which addresses they load.
@safe
struct InstructionDecoder: ~Copyable {
  private let handle: csh
  private let architecture: Architecture
  private let instruction: UnsafeMutablePointer<cs_insn>

  /// The size of every instruction in bytes, where they all have one size.
  var fixedSize: Int? {
    switch architecture {
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
    var handle: csh = 0
    let (kind, mode) =
      switch architecture {
      case .x86_64: (CS_ARCH_X86, CS_MODE_64)
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
    self.architecture = architecture
    unsafe self.instruction = instruction
  }

  deinit {
    // One instruction was allocated; neither it nor the handle is used again.
    unsafe cs_free(instruction, 1)
    var handle = handle
    _ = unsafe cs_close(&handle)
  }

  /// The instruction at an index of some code, or nil when the bytes are none.
  func decode(_ code: [UInt8], at index: Int, address: UInt64) -> Decoded? {
    guard code.indices.contains(index) else { return nil }
    return unsafe code.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return nil }
      var start: UnsafePointer<UInt8>? = unsafe base + index
      var remaining = code.count - index
      var next = address
      // Capstone reads at most `remaining` bytes from `start`, which is inside the buffer.
      guard unsafe cs_disasm_iter(handle, &start, &remaining, &next, instruction) else {
        return nil
      }
      return unsafe Decoded(
        size: Int(instruction.pointee.size), loadedAddress: loadedAddress(of: instruction.pointee))
    }
  }

  private func loadedAddress(of instruction: cs_insn) -> UInt64? {
    guard architecture == .x86_64 else { return nil }
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

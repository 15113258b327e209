package import CCapstone
package import ProbeEvents
import Synchronization

/// Capstone for one architecture and mode: the only place that has it decode.
@safe
package struct Disassembler: ~Copyable {
  /// Taken for whatever has Capstone decode: it sorts a table that all handles share when it needs it
  /// first, and who looks into it meanwhile misses operands (`X86_insn_reg_intel()` of version 4).
  private static let tables = Mutex(())

  package let architecture: Architecture
  package let isCompat: Bool
  let handle: csh
  private let instruction: UnsafeMutablePointer<cs_insn>

  /// A disassembler that gives details; nil when this Capstone was built without the architecture.
  ///
  /// - Parameter isCompat: whether to decode for 32-bit mode (x86 only).
  package init?(_ architecture: Architecture, isCompat: Bool = false) {
    var handle: csh = 0
    let (kind, mode) =
      switch architecture {
      case .x86_64: (CS_ARCH_X86, isCompat ? CS_MODE_32 : CS_MODE_64)
      case .aarch64: (CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN)
      }
    // `handle` is a whole value of the type the call fills.
    guard unsafe cs_open(kind, mode, &handle) == CS_ERR_OK else { return nil }
    _ = cs_option(handle, CS_OPT_DETAIL, Int(CS_OPT_ON.rawValue))
    // With the option set, the instruction has room for the details.
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

  /// Calls `body` with the instruction that begins at an index of some bytes; nil when there is none.
  /// The pointer must not leave the closure.
  ///
  /// - Parameter address: where that index lies in memory.
  package func withDecoded<Result>(
    _ bytes: [UInt8], at index: Int = 0, address: UInt64 = 0,
    _ body: (UnsafeMutablePointer<cs_insn>) -> Result?
  ) -> Result? {
    guard bytes.indices.contains(index) else { return nil }
    let isDecoded = unsafe bytes.withUnsafeBufferPointer { buffer in
      // The index is inside the buffer.
      var start = unsafe buffer.baseAddress.map { unsafe $0 + index }
      var remaining = buffer.count - index
      var next = address
      return Self.tables.withLock { _ in
        // Capstone reads at most `remaining` bytes from `start`, which are the buffer's.
        unsafe cs_disasm_iter(handle, &start, &remaining, &next, instruction)
      }
    }
    return isDecoded ? unsafe body(instruction) : nil
  }
}

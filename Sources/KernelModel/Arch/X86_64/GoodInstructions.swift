extension X86Encoding {
  /// Why the kernel refuses to probe the instruction; nil when it does not.
  ///
  /// Two-byte opcodes are never looked up in a table of their own although there is one: their
  /// escape byte passes as a one-byte opcode. That lets `syscall` and `ud2` pass.
  ///
  /// Kernel: arch/x86/kernel/uprobes.c uprobe_init_insn(), is_prefix_bad(), good_insns_64 and
  /// good_insns_32, as they are since 4.1. Instructions that mask exceptions are refused since 4.18.
  var refusal: UprobeRefusal? {
    // Segment overrides other than fs and gs, and lock.
    for prefix in prefixes where [0x26, 0x2e, 0x36, 0x3e, 0xf0].contains(prefix) {
      return .unsupportedInstruction
    }
    if masksExceptions { return .unsupportedInstruction }
    let isGood = is64Bit ? Self.isGood64(opcode1) : Self.isGood32(opcode1)
    return isGood ? nil : .unsupportedInstruction
  }

  /// Loading the stack segment holds exceptions back for one instruction, the step's as well. The
  /// kernel tests for `pop %ds` where it means `pop %ss`.
  ///
  /// Kernel: arch/x86/include/asm/insn.h insn_masking_exception()
  private var masksExceptions: Bool {
    opcode1 == 0x1f || (opcode1 == 0x8e && reg == 2)
  }

  /// One-byte opcodes that can be probed in 64-bit mode.
  private static func isGood64(_ opcode: UInt8) -> Bool {
    switch opcode {
    // Gone in 64-bit mode: segment pushes and pops, decimal adjustment, pusha, popa, bound (EVEX),
    // the second encoding of group 1, far calls and jumps, aam, aad, salc.
    case 0x06, 0x07, 0x0e, 0x16, 0x17, 0x1e, 0x1f, 0x27, 0x2f, 0x37, 0x3f, 0x60...0x62, 0x82, 0x9a,
      0xd4...0xd6, 0xea:
      false
    default: isGoodInAnyMode(opcode)
    }
  }

  /// One-byte opcodes that can be probed in 32-bit mode.
  private static func isGood32(_ opcode: UInt8) -> Bool {
    switch opcode {
    // Pops of a segment.
    case 0x07, 0x17, 0x1f: false
    default: isGoodInAnyMode(opcode)
    }
  }

  private static func isGoodInAnyMode(_ opcode: UInt8) -> Bool {
    switch opcode {
    // Strings to and from ports, ports, breakpoints and interrupts, iret, halt, cli and sti.
    case 0x6c...0x6f, 0xcc...0xcf, 0xe4...0xe7, 0xec...0xef, 0xf1, 0xf4, 0xfa, 0xfb: false
    default: true
    }
  }
}

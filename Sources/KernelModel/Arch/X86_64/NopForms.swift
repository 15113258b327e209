extension X86Encoding {
  /// Whether the kernel takes the instruction for one that does nothing.
  ///
  /// Kernel: arch/x86/kernel/uprobes.c __skip_sstep() (until 3.15), branch_setup_xol_ops();
  /// arch/x86/lib/insn-eval.c insn_is_nop() (after 6.18)
  func isNop(_ emulation: UprobeRules.InstructionEmulation) -> Bool {
    switch emulation {
    case .plainNop:
      opcode == [0x90] && rex == nil && prefixes.allSatisfy { $0 == 0x66 }
    // `pause` and `xchg %r8,%rax` are among these, which is wrong of the kernel: their effect is
    // lost at a probe.
    case .branches, .pushes:
      opcode1 == 0x90
    case .canonicalNops:
      opcode1 == 0x90 || Self.canonicalNops.contains(bytes)
    case .recognisedNops:
      doesNothing
    }
  }

  /// Whether the site can become a call: a nop of the right length and form, which does not cross
  /// the end of its page.
  ///
  /// Kernel: arch/x86/kernel/uprobes.c can_optimize()
  func canBeOptimized(
    at address: UInt64, _ sites: UprobeRules.OptimizedSites,
    _ emulation: UprobeRules.InstructionEmulation
  ) -> Bool {
    let size = 4096
    let offset = Int(address % UInt64(size))
    guard is64Bit else { return false }
    switch sites {
    case .none:
      return false
    case .nop5:
      let isNop =
        switch emulation {
        case .plainNop, .branches, .pushes, .canonicalNops:
          opcode == [0x90] || (opcode == [0x0f, 0x1f] && modRM != nil && reg == 0)
        case .recognisedNops:
          doesNothing
        }
      return length == 5 && isNop && size - offset >= 5
    case .nop10:
      return length == 10 && doesNothing && size - offset >= 10
        && bytes.starts(with: [0x66, 0x2e, 0x0f, 0x1f, 0x84])
    }
  }

  private var doesNothing: Bool {
    guard vex.isEmpty else { return false }
    let extensionB: UInt8 = (rex ?? 0) & 1 == 0 ? 0 : 8
    let extensionX: UInt8 = (rex ?? 0) & 2 == 0 ? 0 : 8
    let extensionR: UInt8 = (rex ?? 0) & 4 == 0 ? 0 : 8
    let target = reg + extensionR
    let source = (sib.map { $0 & 7 } ?? rm) + extensionB
    let isNativeSize = operandBytes == (is64Bit ? 8 : 4)
    switch opcode1 {
    case 0x0f:
      return opcode2 == 0x1f && target == 0
    case 0x89:
      return mod == 3 && isNativeSize && target == source
    case 0x8d:
      guard mod == 1 || mod == 2, isNativeSize, displacement == 0 else { return false }
      if let sib, sib >> 6 != 0 || (sib >> 3 & 7) + extensionX != 4 { return false }
      return prefixes.allSatisfy { $0 == 0x3e } && target == source
    case 0x90:
      return extensionB == 0 && !prefixes.contains(0xf3)
    case 0xe9, 0xeb:
      return immediate == 0
    default:
      return false
    }
  }

  /// The recommended nops of one to eight bytes. Those of nine and more have a segment prefix and are
  /// refused before.
  ///
  /// Kernel: arch/x86/include/asm/nops.h
  private static let canonicalNops: [[UInt8]] = [
    [0x90],
    [0x66, 0x90],
    [0x0f, 0x1f, 0x00],
    [0x0f, 0x1f, 0x40, 0x00],
    [0x0f, 0x1f, 0x44, 0x00, 0x00],
    [0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00],
    [0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00],
    [0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
  ]
}

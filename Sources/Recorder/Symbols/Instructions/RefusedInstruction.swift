import ProbeEvents

/// Instructions the kernel does not put a probe on.
///
/// The kernel finds out only when it writes the breakpoint, which for a file not yet mapped is after
/// the event was accepted: without this check such a probe would silently never hit.
enum RefusedInstruction {
  /// Why the kernel refuses the instruction that begins `bytes`; nil when we know no reason.
  static func reason(_ bytes: [UInt8], _ architecture: Architecture) -> String? {
    switch architecture {
    case .x86_64: x86Reason(bytes)
    case .aarch64: arm64Reason(bytes)
    }
  }

  /// Kernel: arch/x86/kernel/uprobes.c uprobe_init_insn(), is_prefix_bad(), good_insns_64;
  /// arch/x86/include/asm/insn.h insn_masking_exception()
  private static func x86Reason(_ bytes: [UInt8]) -> String? {
    var rest = bytes[...]
    while let prefix = rest.first, x86Prefixes.contains(prefix) {
      if prefix == 0xf0 { return "it has a lock prefix" }
      if segmentPrefixes.contains(prefix) { return "it has a segment prefix" }
      rest = rest.dropFirst()
    }
    if let rex = rest.first, (0x40...0x4f).contains(rex) { rest = rest.dropFirst() }
    guard let opcode = rest.first else { return nil }
    switch opcode {
    case 0xcc: return "it is a breakpoint"
    case 0xcd, 0xcf, 0xf1: return "it raises or ends an interrupt"
    case 0x6c...0x6f, 0xe4...0xe7, 0xec...0xef: return "it is an I/O port instruction"
    case 0xf4, 0xfa, 0xfb: return "it is privileged"
    case 0x8e where rest.dropFirst().first.map { $0 & 0x38 == 0x10 } == true:
      return "it loads the stack segment, which delays the step's trap"
    default: return nil
    }
  }

  private static let segmentPrefixes: Set<UInt8> = [0x26, 0x2e, 0x36, 0x3e]
  private static let x86Prefixes: Set<UInt8> = [
    0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3,
  ]

  /// Kernel: arch/arm64/kernel/probes/decode-insn.c arm_probe_decode_insn()
  private static func arm64Reason(_ bytes: [UInt8]) -> String? {
    guard let word = bytes.littleEndian(at: 0, width: 4) else { return nil }
    if word & 0x3f00_0000 == 0x0800_0000 { return "it is an exclusive load or store" }
    if word & 0xff00_0000 == 0xd400_0000 { return "it raises an exception" }
    return nil
  }
}

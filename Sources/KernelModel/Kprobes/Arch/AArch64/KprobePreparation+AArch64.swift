internal import ProbeEvents

extension AArch64 {
  /// Looks at the instruction of a site. The copy is still to be made.
  ///
  /// Kernel: arch/arm64/kernel/probes/kprobes.c arch_prepare_kprobe()
  static func prepared(
    _ word: UInt32, _ site: KprobeSite
  ) throws(KprobeError) -> PreparedInstruction {
    guard site.address & 3 == 0 else { throw .misaligned }
    if site.marks.contains(.exceptionTable) { throw .inExceptionTable }
    // An exclusive store fails when an exception came between it and its load.
    guard let execution = execution(of: word), !site.marks.contains(.exclusiveSequence) else {
      throw .instructionRejected
    }
    return PreparedInstruction(
      opcode: word, length: 4, slot: nil, execution: execution, boost: .no, detour: nil)
  }

  /// How an instruction is executed under a probe; nil if it cannot be.
  ///
  /// Kernel: arch/arm64/kernel/probes/decode-insn.c arm_kprobe_decode_insn(),
  /// arm_probe_decode_insn()
  static func execution(of word: UInt32) -> PreparedInstruction.Execution? {
    if let simulation = ARMSimulation(word) { return .simulated(simulation) }
    return isSteppable(word) ? .stepped : nil
  }

  /// Whether a copy does the same as the original.
  ///
  /// Kernel: arch/arm64/kernel/probes/decode-insn.c aarch64_insn_is_steppable()
  static func isSteppable(_ word: UInt32) -> Bool {
    let isBranchOrSystem = word >> 26 & 7 == 5
    guard isBranchOrSystem else {
      let isPrefetchLiteral = word & 0xff00_0000 == 0xd800_0000
      let isAddress = word & 0x1f00_0000 == 0x1000_0000
      let isLiteral = word & 0xbf00_0000 == 0x1800_0000 || word & 0xff00_0000 == 0x9800_0000
      let isExclusive = word & 0x3f80_0000 == 0x0800_0000
      return !(isPrefetchLiteral || isAddress || isLiteral || isExclusive)
    }
    if word >> 24 == 0xd5 { return isSteppableSystem(word) }
    return !branchesAndExceptions.contains { word & $0.mask == $0.value }
  }

  /// Branches and exceptions, by the bits that do not vary. Words of their class that are none of
  /// them are undefined; the kernel lets those through.
  private static let branchesAndExceptions: [(mask: UInt32, value: UInt32)] = [
    (0x7c00_0000, 0x1400_0000),  // B, BL
    (0x7c00_0000, 0x3400_0000),  // CBZ, CBNZ, TBZ, TBNZ
    (0xff00_0010, 0x5400_0000),  // B.cond
    (0xffff_fc1f, 0xd61f_0000),  // BR
    (0xffff_fc1f, 0xd63f_0000),  // BLR
    (0xffff_fc1f, 0xd65f_0000),  // RET
    (0xfeff_f800, 0xd61f_0800),  // BR with authentication
    (0xfeff_f800, 0xd63f_0800),  // BLR with authentication
    (0xffff_fbff, 0xd65f_0bff),  // RET with authentication
    (0xffff_ffff, 0xd69f_03e0),  // ERET
    (0xffff_fbff, 0xd69f_0bff),  // ERET with authentication
    (0xff00_0000, 0xd400_0000),  // SVC, HVC, SMC, BRK, HLT, DCPS
  ]

  private static func isSteppableSystem(_ word: UInt32) -> Bool {
    let isWrite = word & 0xfff0_0000 == 0xd510_0000 || word & 0xfff8_f01f == 0xd500_401f
    if isWrite { return false }
    if word & 0xfff0_0000 == 0xd530_0000 {
      // The masks are the step's own.
      return word >> 5 & 0xffff != 0xda11
    }
    if word & 0xffff_f01f == 0xd503_201f {
      // No operation, pointer authentication that cannot fail, landing pads.
      return steppableHints.contains(word >> 5 & 0x7f)
    }
    return true
  }

  private static let steppableHints: Set<UInt32> = [
    0, 7, 8, 10, 24, 25, 26, 27, 32, 34, 36, 38,
  ]
}

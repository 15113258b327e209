public import ProbeEvents

/// An instruction at an offset of a file, as somebody decoded it.
public enum ProbedInstruction: Sendable, Hashable {
  /// An x86 instruction.
  case x86(X86Encoding)
  /// An arm64 instruction.
  case arm64(ARM64Instruction)
  /// Bytes that are no instruction.
  case undecodable

  /// Whether it is the breakpoint instruction that uprobes use.
  ///
  /// Kernel: kernel/events/uprobes.c is_trap_insn(), is_swbp_insn()
  public var isBreakpoint: Bool {
    switch self {
    case .x86(let instruction): instruction.bytes.first == 0xcc
    case .arm64(let instruction): instruction == .breakpoint
    case .undecodable: false
    }
  }
}

/// How a probed instruction takes effect, decided when its breakpoint is first placed.
public enum InstructionTreatment: Sendable, Hashable {
  /// On x86.
  case x86(X86Treatment)
  /// On arm64; without a simulation it is stepped.
  case arm64(ARM64Instruction, ARM64Instruction.Simulation?)

  /// Whether the site may become a call after its first hit.
  public var canBeOptimized: Bool {
    switch self {
    case .x86(let treatment): treatment.canBeOptimized
    case .arm64: false
    }
  }
}

extension UprobeRules {
  /// Decides how a probed instruction will take effect, or why it cannot be probed. An instruction of
  /// the other architecture is none.
  ///
  /// Kernel: arch_uprobe_analyze_insn() of the architecture
  public func analyzeInstruction(
    _ instruction: ProbedInstruction, at address: Address, isCompat: Bool
  ) throws(UprobeRefusal) -> InstructionTreatment {
    switch (instruction, architecture) {
    case (.x86(let instruction), .x86_64):
      .x86(try X86_64.analyzeInstruction(instruction, at: address, rules: self))
    case (.arm64(let instruction), .aarch64):
      .arm64(
        instruction,
        try AArch64.analyzeInstruction(
          instruction, at: address, isCompat: isCompat, rules: self))
    case (.undecodable, _), (.x86, .aarch64), (.arm64, .x86_64):
      throw .undecodable
    }
  }

  /// Bytes of the breakpoint instruction (`UPROBE_SWBP_INSN_SIZE`).
  public var breakpointBytes: UInt64 {
    switch architecture {
    case .x86_64: 1
    case .aarch64: 4
    }
  }

  /// Bytes of an XOL slot (`UPROBE_XOL_SLOT_BYTES`).
  public var slotBytes: UInt64 {
    switch architecture {
    case .x86_64: 128
    case .aarch64: 4
    }
  }
}

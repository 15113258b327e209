extension UprobeRules {
  /// What the kernel does with arm64 instructions at the edges of simulation, for kprobes as well;
  /// only that those always have literal loads simulated.
  ///
  /// Evidence: "arm64: probes: Remove broken LDR (literal) uprobe support" (6.12, stable 6.11.5,
  /// 6.1.115, 5.10.229); decode-insn.c of 6.12, but not of 6.1.192, refuses memory copies; "arm64:
  /// insn: Simulate nop instruction for better uprobe performance" (6.13).
  public enum ARM64Simulation: UInt8, Sendable, Hashable, CaseIterable, Comparable, BitwiseCopyable
  {
    /// Loads of a literal are simulated.
    case literalLoads
    /// Loads of a literal are refused.
    case noLiteralLoads
    /// Instructions that copy or set memory, which come in threes, are refused.
    case noMemoryCopies
    /// The nop is simulated as well; before, it is stepped.
    case nop

    init(_ epoch: Epoch) {
      self = epoch < .e5 ? .literalLoads : epoch < .e6 ? .noMemoryCopies : .nop
    }

    /// What the last kernel of an epoch of kprobes does: 6.12 and 6.13 lie within one.
    init(_ epoch: KprobeEpoch) {
      self = epoch < .k13 ? .literalLoads : .nop
    }

    init(_ release: KernelRelease) {
      if release >= KernelRelease(major: 6, minor: 13) {
        self = .nop
      } else if release >= KernelRelease(major: 6, minor: 12) {
        self = .noMemoryCopies
      } else {
        let refuses =
          release.isStable(of: 6, 11, since: 5)
          || release.isStable(of: 6, 1, since: 115)
          || release.isStable(of: 5, 10, since: 229)
        self = refuses ? .noLiteralLoads : .literalLoads
      }
    }

    /// Orders by time.
    public static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
  }
}

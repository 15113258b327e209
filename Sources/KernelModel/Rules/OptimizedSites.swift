internal import ProbeEvents

extension UprobeRules {
  /// Which probed sites the kernel rewrites to a call after their first hit.
  ///
  /// Evidence: 56101b69c919 "uprobes/x86: Add uprobe syscall to speed up uprobe" and its series
  /// (6.18); 554ba38456da "uprobes/x86: Move optimized uprobe from nop5 to nop10" (7.2). x86-64 only.
  public enum OptimizedSites: String, Sendable, Hashable, CaseIterable {
    /// None.
    case none
    /// Nops of five bytes. The call they become overwrites the word below the stack pointer, which
    /// a leaf function may be using.
    case nop5
    /// Nops of ten bytes of one form, which leave the 128 bytes below the stack pointer alone.
    case nop10

    init(_ epoch: Epoch, _ architecture: Architecture) {
      switch architecture {
      case .x86_64: self = epoch < .e8 ? .none : epoch < .e9 ? .nop5 : .nop10
      case .aarch64: self = .none
      }
    }
  }
}

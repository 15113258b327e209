extension UprobeRules {
  /// Whether a process may move its page for copies of instructions.
  ///
  /// Evidence: uprobes.c of 6.13 has an mremap hook for the page that refuses, that of 6.12 has none.
  public enum XOLPageMove: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// It may, and the kernel goes on believing that the page is where it was.
    case unnoticed
    /// It may not.
    case refused

    init(_ epoch: Epoch) {
      self = epoch < .e6 ? .unnoticed : .refused
    }
  }
}

extension ReturnProbeRules {
  /// How many bytes at the stack pointer the kernel takes for the return address of a 32-bit task on
  /// x86-64.
  ///
  /// Evidence: 9212ec7d8357 "uprobes/x86: Fix detection of 32-bit user mode" (5.3). Of the stable
  /// files that were compared, 4.14.177, 4.19.78 and 5.2.12 have it; 4.4.155, 4.9.115, 4.20.0 and
  /// 5.0.1 do not.
  ///
  /// Effect: before, the call returns to an address made of two words, and the word above the return
  /// address is overwritten as well.
  public enum CompatWordSize: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// Four, by the code segment.
    case four = 4
    /// Eight, because a breakpoint is mistaken for 64-bit mode.
    case eight = 8

    init(_ epoch: Epoch) {
      self = epoch < .e3 ? .eight : .four
    }

    init(_ release: KernelRelease) {
      let isFixed =
        release >= KernelRelease(major: 5, minor: 3)
        || release.isStable(of: 5, 2, since: 12)
        || release.isStable(of: 4, 19, since: 78)
        || release.isStable(of: 4, 14, since: 177)
      self = isFixed ? .four : .eight
    }
  }
}

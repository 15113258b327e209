extension ReturnProbeRules {
  /// How many bytes at the stack pointer the kernel takes for the return address of a 32-bit task on
  /// x86-64.
  ///
  /// Evidence: 9212ec7d8357 "uprobes/x86: Fix detection of 32-bit user mode" (5.3), in the stable
  /// announcements and reviews of 5.2.12, 4.19.70, 4.14.142, 4.9.191, 4.4.191 and 3.16.78.
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
        || release.isStable(of: 4, 19, since: 70)
        || release.isStable(of: 4, 14, since: 142)
        || release.isStable(of: 4, 9, since: 191)
        || release.isStable(of: 4, 4, since: 191)
        || release.isStable(of: 3, 16, since: 78)
      self = isFixed ? .four : .eight
    }
  }
}

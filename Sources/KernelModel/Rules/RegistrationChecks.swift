extension UprobeRules {
  /// What registration checks about alignment and reference counters.
  ///
  /// Evidence: 1cc33161a83d "uprobes: Support SDT markers having reference count (semaphore)" and
  /// 22bad38286d9 "uprobes: Prevent multiple uprobes with different ref_ctr_offset" (4.20);
  /// 013b2deba9a6 "uprobes: ensure that uprobe->offset and ->ref_ctr_offset are properly aligned"
  /// (5.8, and stable kernels).
  public enum RegistrationChecks: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// There are no reference counters; they are neither checked nor counted.
    case withoutReferenceCounters
    /// Reference counters of one probe must agree.
    case referenceCounters
    /// Offset and reference counter must be aligned as well.
    case alignment

    init(_ epoch: Epoch) {
      self = epoch < .e3 ? .withoutReferenceCounters : .alignment
    }

    init(_ release: KernelRelease) {
      if release < KernelRelease(major: 4, minor: 20) {
        self = .withoutReferenceCounters
      } else {
        let isAligned =
          release >= KernelRelease(major: 5, minor: 8) || release.isStable(of: 5, 4, since: 59)
        self = isAligned ? .alignment : .referenceCounters
      }
    }
  }
}

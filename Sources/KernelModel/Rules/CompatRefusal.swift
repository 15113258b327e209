extension UprobeRules {
  /// The number by which arm64 refuses to probe 32-bit processes.
  ///
  /// Evidence: ENOTSUPP, which user space does not know, until 5.10; EOPNOTSUPP in 5.11 and 5.10.20.
  public enum CompatRefusal: Int32, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// ENOTSUPP.
    case internalNumber = 524
    /// EOPNOTSUPP.
    case knownNumber = 95

    init(_ epoch: Epoch) {
      self = epoch < .e3 ? .internalNumber : .knownNumber
    }

    init(_ release: KernelRelease) {
      let isKnown =
        release >= KernelRelease(major: 5, minor: 11) || release.isStable(of: 5, 10, since: 20)
      self = isKnown ? .knownNumber : .internalNumber
    }
  }
}

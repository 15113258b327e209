extension ReturnProbeRules {
  /// The signal for a task that reaches the trampoline without a return instance.
  ///
  /// Evidence: until 4.2 handle_trampoline() fails softly and handle_swbp() finds a breakpoint that
  /// is nobody's; 4.3 forces SIGILL, without siginfo until 4.19 and by force_sig() since 4.20.
  ///
  /// Not modelled: a task without instances in a process whose last probe is gone takes an ordinary
  /// trap.
  public enum NoInstanceSignal: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// SIGTRAP as any process might send it: it can be blocked and ignored.
    case trap
    /// SIGILL, forced, `si_code` 0.
    case forcedIllegal
    /// SIGILL, forced, `si_code` SI_KERNEL.
    case forcedIllegalFromKernel

    /// The signal's number, the same on both architectures.
    public var number: Int32 {
      switch self {
      case .trap: 5
      case .forcedIllegal, .forcedIllegalFromKernel: 4
      }
    }

    /// The `si_code` a handler of the signal sees; nil where it is not known.
    public var code: Int32? {
      switch self {
      case .trap: nil
      case .forcedIllegal: 0
      case .forcedIllegalFromKernel: 0x80
      }
    }

    init(_ epoch: Epoch) {
      self = epoch < .e3 ? .trap : .forcedIllegalFromKernel
    }

    init(_ epoch: Epoch, _ release: KernelRelease) {
      let isOlder = release < KernelRelease(major: 4, minor: 20)
      self = epoch >= .e3 && isOlder ? .forcedIllegal : Self(epoch)
    }
  }
}

internal import ProbeEvents

extension KprobeRules {
  /// What the kernel does about a page fault in a pre- or post-handler.
  ///
  /// Evidence: fault handlers are there in 5.11 and gone in 5.14.0, where a module that sets one
  /// does not build (kimocoder/wifite2 issue 115, a Debian derivative's 5.14.0). arm64 still
  /// consulted the exception table itself in 6.1.192 and no longer does in 6.12.
  public enum HandlerFault: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// The running probe counts a miss, its fault handler is asked, then the exception table.
    case asksFaultHandler
    /// The exception table is asked.
    case asksExceptionTable
    /// Nothing: it is a fault like any other.
    case ordinary

    init(_ epoch: KprobeEpoch, _ architecture: Architecture) {
      switch architecture {
      case .x86_64: self = epoch < .k9 ? .asksFaultHandler : .ordinary
      case .aarch64:
        self = epoch < .k9 ? .asksFaultHandler : epoch < .k12 ? .asksExceptionTable : .ordinary
      }
    }
  }

  /// Which faults, while an instruction is stepped, are taken for that instruction's.
  ///
  /// Evidence: x86 has always compared the address with the copy's; arm64's kprobe_fault_handler()
  /// only since some 7.x, where it also leaves simulated instructions alone.
  public enum StepFault: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// All of them.
    case anywhere
    /// Those at the copied instruction.
    case onlyAtCopy

    init(_ epoch: KprobeEpoch, _ architecture: Architecture) {
      switch architecture {
      case .x86_64: self = .onlyAtCopy
      case .aarch64: self = epoch < .k15 ? .anywhere : .onlyAtCopy
      }
    }
  }

  /// Whether arm64 gives the interrupt flags back when the stepped instruction faults.
  ///
  /// Evidence: kprobe_fault_handler() of 5.10.13 against 6.1.192 ("arm64: kprobes: Restore local
  /// irqflag if kprobes is cancelled"). It never does after a re-entrant hit.
  ///
  /// Effect: before, interrupts stay masked after such a fault.
  public enum FaultFlags: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// They stay masked.
    case stayMasked
    /// They are restored.
    case restored

    init(_ epoch: KprobeEpoch) {
      self = epoch < .k8 ? .stayMasked : .restored
    }
  }
}

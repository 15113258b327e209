internal import ProbeEvents

extension KprobeRules {
  /// Whether a probe at the start of a function that begins with a landing pad (ENDBR) goes behind
  /// it.
  ///
  /// Evidence: arch_adjust_kprobe_addr() of x86 (5.18). The same change made an address without a
  /// symbol ENOENT.
  public enum LandingPad: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// The probe goes where it was asked to.
    case kept
    /// It goes to the instruction behind.
    case skipped
    /// Every address needs a symbol, but there is no landing pad to skip.
    case symbolOnly

    init(_ epoch: KprobeEpoch, _ architecture: Architecture) {
      switch (epoch < .k10, architecture) {
      case (true, .x86_64), (true, .aarch64): self = .kept
      case (false, .x86_64): self = .skipped
      case (false, .aarch64): self = .symbolOnly
      }
    }
  }

  /// Whether a place inside the function tracer's call, but not at its start, is refused.
  ///
  /// Evidence: arch_check_ftrace_location() of 4.19 against check_ftrace_location() of 6.1.192
  /// (5.18 by general knowledge: no source between the two was at hand).
  public enum FtraceInside: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// With EILSEQ.
    case refused
    /// Only the start is special.
    case notSpecial

    init(_ epoch: KprobeEpoch) {
      self = epoch < .k10 ? .refused : .notSpecial
    }
  }

  /// Which trapping instructions x86-64 refuses to probe.
  ///
  /// Evidence: instructions that mask exceptions (loads of the stack segment) are refused in
  /// 6.1.192 and not in 4.8; INT and UD in 6.12 and not in 6.1.192.
  public enum TrappingInstructions: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// None but the breakpoint.
    case probed
    /// Those that mask exceptions.
    case maskingRefused
    /// Those and INT and UD.
    case refused

    init(_ epoch: KprobeEpoch) {
      self = epoch < .k2 ? .probed : epoch < .k12 ? .maskingRefused : .refused
    }
  }

  /// What happens to a probe that uses the function tracer when its module goes.
  ///
  /// Evidence: kill_kprobe() of 4.19 against 5.10.13.
  public enum GoneFtrace: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// It stays armed; the tracer keeps calling into memory that is gone.
    case staysArmed
    /// It is disarmed.
    case isDisarmed

    init(_ epoch: KprobeEpoch) {
      self = epoch < .k6 ? .staysArmed : .isDisarmed
    }
  }

  /// At which stage of boot kprobes come up, and whether they test themselves then.
  ///
  /// Evidence: init_kprobes() of 4.19 against 6.1.192.
  public enum BootStage: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// With the drivers (module_init), ending with self-tests.
    case drivers
    /// Before the other processors are started (early_initcall); the tests are run on demand.
    case early

    init(_ epoch: KprobeEpoch) {
      self = epoch < .k6 ? .drivers : .early
    }
  }
}

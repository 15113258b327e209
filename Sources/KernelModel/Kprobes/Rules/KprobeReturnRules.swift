internal import ProbeEvents

extension KprobeRules {
  /// Whether a function entered in an NMI gets a return instance.
  ///
  /// Evidence: pre_handler_kretprobe() counts a miss in an NMI in 4.4.155 to 5.9.1 and not in 5.10
  /// ("kprobes: Remove NMI context check", in 5.9.15). Older ones do not ask either.
  public enum ReturnProbesInNMI: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// It counts as missed.
    case missed
    /// It does.
    case allowed

    init(_ epoch: KprobeEpoch) {
      self = epoch < .k1 || epoch >= .k6 ? .allowed : .missed
    }
  }

  /// Where return instances are kept, free and in use.
  ///
  /// Evidence: 4.8 hashes tasks; 5.10.13 does so too and compares stack frames; 5.11 has a list per
  /// task; x86 uses rethook in 5.19 and in the release candidates of 5.18 (lkrg-org/lkrg issue
  /// 174); between 6.6 and 6.8 the free ones moved to an object pool (6.7 by general knowledge: no
  /// source between the two was at hand).
  public enum ReturnStorage: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// A hash table of tasks.
    case hashTable
    /// A hash table of tasks; instances of other stack frames are passed over.
    case hashTableWithFrames
    /// A list per task.
    case perTask
    /// The same, shared with other users of return hooks.
    case rethook
    /// A list per task, free ones in an object pool.
    case objectPool

    init(_ epoch: KprobeEpoch, _ architecture: Architecture) {
      switch architecture {
      case .x86_64: self = epoch < .k7 ? .hashed(epoch) : epoch < .k10 ? .perTask : .rethook
      case .aarch64: self = epoch < .k7 ? .hashed(epoch) : epoch < .k13 ? .perTask : .objectPool
      }
    }

    private static func hashed(_ epoch: KprobeEpoch) -> Self {
      epoch < .k4 ? .hashTable : .hashTableWithFrames
    }
  }

  /// How many return instances a return probe gets that does not say.
  ///
  /// Evidence: register_kretprobe() of 6.1.0-rc7 against 6.1.192 and 6.2 ("kprobes: kretprobe
  /// events missing on 2-core KVM guest", in 6.1.3).
  public enum DefaultInstances: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// Ten or twice the processors where kernel code can be preempted, else one per processor.
    case byPreemption
    /// Ten or twice the processors.
    case atLeastTen

    init(_ epoch: KprobeEpoch) {
      self = epoch < .k11 ? .byPreemption : .atLeastTen
    }
  }
}

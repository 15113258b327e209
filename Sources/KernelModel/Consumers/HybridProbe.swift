/// A return instance's hold on its probe (since 6.13).
///
/// Counting references on every call is dear, so a hold begins as a lease: the probe cannot be freed
/// while it lasts. Leases must be short, so a timer turns them into references, if the probe is not
/// about to go by then.
///
/// Kernel: include/linux/uprobes.h `struct hprobe`
public struct HybridProbe: Sendable, Hashable, BitwiseCopyable {
  /// The kind of hold.
  ///
  /// Kernel: include/linux/uprobes.h `enum hprobe_state`
  public enum State: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// By lease (`HPROBE_LEASED`).
    case leased
    /// By reference (`HPROBE_STABLE`).
    case stable
    /// None: the probe was about to go when the lease ended (`HPROBE_GONE`).
    case gone
    /// None any more: the return has taken it (`HPROBE_CONSUMED`).
    case consumed
  }

  /// What is to be done about the probe after a step of the hold.
  public enum Release: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// Nothing.
    case nothing
    /// The lease is over.
    case endLease
    /// A reference is given back.
    case dropReference
  }

  /// The kind of hold.
  public internal(set) var state: State

  /// A fresh hold, by lease.
  ///
  /// Kernel: kernel/events/uprobes.c hprobe_init_leased()
  public init() { state = .leased }

  /// The hold in a child's copy: by reference, or none.
  ///
  /// Kernel: kernel/events/uprobes.c hprobe_init_stable()
  public init(stable hasReference: Bool) { state = hasReference ? .stable : .gone }

  /// Takes the probe for its return handlers; false when there is none any more. What `release`
  /// says is to be done when they have run.
  ///
  /// Kernel: kernel/events/uprobes.c hprobe_consume(), hprobe_finalize()
  public mutating func consume() -> (isThere: Bool, release: Release) {
    defer { state = .consumed }
    switch state {
    case .leased: return (true, .endLease)
    case .stable: return (true, .dropReference)
    case .gone: return (false, .nothing)
    case .consumed: return (false, .nothing)
    }
  }

  /// Ends a lease, for the timer and for a fork. The result says whether the probe is there, and how
  /// many references this took: one for the hold itself, one more for the copy if one is wanted.
  ///
  /// - Parameters:
  ///   - isAlive: whether somebody else holds a reference, so that another can be taken.
  ///   - forCopy: whether a child's copy needs a reference of its own.
  ///
  /// Kernel: kernel/events/uprobes.c hprobe_expire()
  public mutating func expire(isAlive: Bool, forCopy: Bool) -> (isThere: Bool, references: Int) {
    switch state {
    case .stable:
      return (true, forCopy ? 1 : 0)
    case .gone, .consumed:
      return (false, 0)
    case .leased:
      state = isAlive ? .stable : .gone
      return isAlive ? (true, forCopy ? 2 : 1) : (false, 0)
    }
  }
}

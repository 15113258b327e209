public import ProbeEvents

/// A module, as far as kprobes care.
///
/// Kernel: include/linux/module.h `struct module`
public struct KernelModule: Sendable, Hashable {
  /// Its name.
  public var name: String
  /// Its text.
  public var core: Range<Address>
  /// Its initialisation text, which is freed when it is live.
  public var initText: Range<Address>
  /// Its state.
  public var state: State
  /// Whether a reference can be taken, so that it does not go away under the probe.
  public var canBePinned: Bool
  /// The functions it keeps from being probed.
  public var blacklist: [Address]
  /// Sections whose functions it keeps from being probed (its probe and no-instrumentation text).
  public var blacklistedAreas: [Range<Address>]

  /// What the module loader tells its listeners.
  public enum State: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// Loaded, about to be initialised (MODULE_STATE_COMING).
    case coming
    /// Initialised (MODULE_STATE_LIVE).
    case live
    /// About to be removed (MODULE_STATE_GOING).
    case going
  }

  /// A module.
  public init(
    _ name: String, core: Range<Address>, initText: Range<Address>, state: State = .coming,
    canBePinned: Bool = true, blacklist: [Address] = [], blacklistedAreas: [Range<Address>] = []
  ) {
    self.name = name
    self.core = core
    self.initText = initText
    self.state = state
    self.canBePinned = canBePinned
    self.blacklist = blacklist
    self.blacklistedAreas = blacklistedAreas
  }
}

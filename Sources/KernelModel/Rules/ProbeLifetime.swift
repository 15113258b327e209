extension UprobeRules {
  /// Who keeps a probe alive, and what registration does about one that is about to go.
  ///
  /// Evidence: uprobes.c of 6.12 has try_get_uprobe() and no test of uprobe_is_active() in
  /// registration any more ("uprobes: revamp uprobe refcounting and lifetime management").
  public enum ProbeLifetime: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// The table holds one reference (the creation reference), everybody at work another (an access
    /// reference). Registration that finds a probe already taken out of the table starts again.
    case creationAndAccess
    /// Each registration holds one reference; the table holds none, and a dying probe met there
    /// makes room for a new one.
    case perRegistration

    init(_ epoch: Epoch) {
      self = epoch < .e5 ? .creationAndAccess : .perRegistration
    }
  }
}

internal import ProbeEvents

extension Uprobes {
  /// What is found at a breakpoint that was hit.
  enum FoundProbe: Sendable, Hashable {
    /// A probe.
    case probe(UprobeIdentity)
    /// No probe, and still a breakpoint.
    case breakpoint
    /// No probe, and no breakpoint any more, or nothing that could be read.
    case nothing
  }

  /// Looks for the probe at an address. If there is none, and something was removed since, whether
  /// the process has any probes left is looked into now.
  ///
  /// Kernel: kernel/events/uprobes.c find_active_uprobe(), find_active_uprobe_rcu(),
  /// is_trap_at_addr()
  mutating func findActiveProbe(in space: Int, at address: Address) -> FoundProbe {
    guard spaces.indices.contains(space) else { return .nothing }
    let mapping = spaces[space].mapping(at: address)
    if let mapping, let inode = mapping.inode, mapping.isValid(registering: false),
      let index = activeIndex(inode: inode, offset: mapping.offset(of: address))
    {
      return .probe(probes[index].identity)
    }
    let isBreakpoint = mapping != nil && spaces[space].contents(at: address) == .breakpoint
    if spaces[space].recalculates {
      spaces[space].recalculates = false
      recalculate(space)
    }
    return isBreakpoint ? .breakpoint : .nothing
  }

  /// Takes the flag that there may be breakpoints back, unless some mapping has a probe; whether its
  /// consumers want that one here is not asked.
  ///
  /// Kernel: kernel/events/uprobes.c mmf_recalc_uprobes()
  private mutating func recalculate(_ space: Int) {
    let hasSome = spaces[space].mappings.contains {
      $0.isValid(registering: false) && hasProbes($0, from: $0.start, to: $0.end)
    }
    if !hasSome { spaces[space].hasUprobes = false }
  }
}

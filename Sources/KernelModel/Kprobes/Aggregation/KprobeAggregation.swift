extension KprobeKernel {
  /// Adds a probe where there is one already.
  ///
  /// Kernel: kernel/kprobes.c register_aggr_kprobe()
  mutating func registerAggregate(
    _ id: KprobeID, at entry: KprobeEntryID
  ) throws(KprobeError) {
    if !table.entries[entry.rawValue].isAggregate {
      makeAggregate(entry)
      prepareOptimization(entry)
    } else if isUnused(entry) {
      try reuse(entry)
    }
    if table.flags(of: entry).contains(.gone) { try revive(entry) }
    table.probes[id.rawValue].instruction = table.entries[entry.rawValue].instruction
    try add(id, to: entry)

    let isWanted = !table.probes[id.rawValue].flags.contains(.disabled)
    if isWanted && table.flags(of: entry).contains(.disabled) {
      table.updateFlags(of: entry) { $0.remove(.disabled) }
      if !areAllDisarmed { arm(entry) }
    }
  }

  /// Puts a manager in the place of a probe that was alone.
  ///
  /// Kernel: kernel/kprobes.c init_aggr_kprobe()
  mutating func makeAggregate(_ entry: KprobeEntryID) {
    guard let alone = table.entries[entry.rawValue].members.first else { return }
    let probe = table.probes[alone.rawValue]
    table.entries[entry.rawValue].isAggregate = true
    table.entries[entry.rawValue].flags = probe.flags.subtracting(.optimized)
    table.entries[entry.rawValue].hasPostHandler =
      probe.handlers.contains(.post) && !probe.flags.contains(.gone)
  }

  /// Gives an entry whose text was gone a new copy of the instruction that is there now. It is not
  /// armed yet.
  private mutating func revive(_ entry: KprobeEntryID) throws(KprobeError) {
    let address = table.entries[entry.rawValue].address
    table.entries[entry.rawValue].instruction = try prepare(
      site(at: address), hasPostHandler: table.hasPostHandler(entry))
    prepareOptimization(entry)
    table.updateFlags(of: entry) {
      $0.remove(.gone)
      $0.insert(.disabled)
    }
  }

  /// Kernel: kernel/kprobes.c add_new_kprobe()
  private mutating func add(_ id: KprobeID, to entry: KprobeEntryID) throws(KprobeError) {
    let handlers = table.probes[id.rawValue].handlers
    // A jump leaves no room for a post-handler.
    if handlers.contains(.post) { unoptimize(entry, force: true) }
    if rules.breakHandlers == .called && handlers.contains(.breakpoint) {
      let hasBreakHandler = table.entries[entry.rawValue].members.contains {
        table.probes[$0.rawValue].handlers.contains(.breakpoint)
      }
      guard !hasBreakHandler else { throw .secondBreakHandler }
      table.entries[entry.rawValue].members.append(id)
    } else {
      table.entries[entry.rawValue].members.insert(id, at: 0)
    }
    if handlers.contains(.post) { table.entries[entry.rawValue].hasPostHandler = true }
  }
}

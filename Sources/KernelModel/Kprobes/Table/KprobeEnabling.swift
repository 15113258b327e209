extension KprobeKernel {
  /// Stops a probe's handlers from being run. The breakpoint goes when all probes at the address
  /// are disabled.
  ///
  /// Kernel: kernel/kprobes.c disable_kprobe()
  public mutating func disable(_ id: KprobeID) throws(KprobeError) {
    _ = try disableEntry(of: id)
  }

  /// The same; returns the entry.
  ///
  /// Kernel: kernel/kprobes.c __disable_kprobe(), aggr_kprobe_disabled()
  mutating func disableEntry(of id: KprobeID) throws(KprobeError) -> KprobeEntryID {
    guard let entry = table.validEntry(of: id) else { throw .notRegistered }
    guard !table.probes[id.rawValue].flags.contains(.disabled) else { return entry }
    let isMember = table.entries[entry.rawValue].isAggregate
    if isMember { table.probes[id.rawValue].flags.insert(.disabled) }
    let areAllDisabled = table.entries[entry.rawValue].members.allSatisfy {
      table.probes[$0.rawValue].flags.contains(.disabled)
    }
    if !isMember || areAllDisabled {
      if !areAllDisarmed && !table.flags(of: entry).contains(.disabled) {
        disarm(entry, reoptimizes: true)
      }
      table.updateFlags(of: entry) { $0.insert(.disabled) }
    }
    return entry
  }

  /// Lets a probe's handlers be run again.
  ///
  /// Kernel: kernel/kprobes.c enable_kprobe()
  public mutating func enable(_ id: KprobeID) throws(KprobeError) {
    guard let entry = table.validEntry(of: id) else { throw .notRegistered }
    guard !table.probes[id.rawValue].flags.contains(.gone) else { throw .gone }
    if table.entries[entry.rawValue].isAggregate {
      table.probes[id.rawValue].flags.remove(.disabled)
    }
    if !areAllDisarmed && table.flags(of: entry).contains(.disabled) {
      table.updateFlags(of: entry) { $0.remove(.disabled) }
      arm(entry)
    }
  }

  /// Switches all probes off, without disabling them.
  ///
  /// Kernel: kernel/kprobes.c disarm_all_kprobes()
  public mutating func disarmAll() {
    guard !areAllDisarmed else { return }
    areAllDisarmed = true
    for entry in table.listed where !table.flags(of: entry).contains(.disabled) {
      disarm(entry, reoptimizes: false)
    }
    runOptimizer()
  }

  /// Switches all probes on again that are not disabled, gone ones included.
  ///
  /// Kernel: kernel/kprobes.c arm_all_kprobes()
  public mutating func armAll() {
    guard areAllDisarmed else { return }
    areAllDisarmed = false
    for entry in table.listed where !table.flags(of: entry).contains(.disabled) { arm(entry) }
  }
}

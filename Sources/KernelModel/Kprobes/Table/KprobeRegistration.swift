internal import ProbeEvents

extension KprobeKernel {
  /// Registers a probe.
  ///
  /// A probe that is refused keeps the address that was found for it, so that asking again by
  /// symbol is refused for giving both; its owner has to clear the address.
  ///
  /// Kernel: kernel/kprobes.c register_kprobe()
  public mutating func register(_ id: KprobeID) throws(KprobeError) {
    guard var probe = table[id] else { throw .notRegistered }
    let place = try rules.resolve(probe, in: text)
    probe.address = place.address
    table.probes[id.rawValue].address = place.address
    guard table.validEntry(of: id) == nil else { throw .alreadyRegistered }

    // The only flag an owner may set. A probe that was unregistered still has it.
    probe.flags.formIntersection(.disabled)
    probe.missed = 0
    table.probes[id.rawValue] = probe
    let site = self.site(at: place.address)
    if try rules.check(site) { table.probes[id.rawValue].flags.insert(.ftrace) }

    switch rules.landingPad {
    case .kept: break
    case .skipped, .symbolOnly:
      if place.isFunctionEntry { table.probes[id.rawValue].flags.insert(.onFunctionEntry) }
    }
    if let old = table.lookUp(place.address) {
      try registerAggregate(id, at: old)
    } else {
      try registerAlone(id, site)
    }
  }

  /// The first probe at its address.
  private mutating func registerAlone(
    _ id: KprobeID, _ site: KprobeSite
  ) throws(KprobeError) {
    let probe = table.probes[id.rawValue]
    let instruction =
      probe.flags.contains(.ftrace)
      ? PreparedInstruction.ftrace(site)
      : try prepare(site, hasPostHandler: probe.handlers.contains(.post))
    table.probes[id.rawValue].instruction = instruction
    table.entries.append(
      KprobeEntry(address: site.address, alone: id, instruction: instruction))
    let entry = KprobeEntryID(table.entries.count - 1)
    if !areAllDisarmed && !probe.flags.contains(.disabled) { arm(entry) }
    tryToOptimize(entry)
  }

  /// Registers several probes; when one is refused, those before it are unregistered again.
  ///
  /// Kernel: kernel/kprobes.c register_kprobes()
  public mutating func register(_ ids: [KprobeID]) throws(KprobeError) {
    guard !ids.isEmpty else { throw .emptyBatch }
    for (index, id) in ids.enumerated() {
      do {
        try register(id)
      } catch {
        unregister(Array(ids[..<index]))
        throw error
      }
    }
  }

  /// Unregisters a probe.
  public mutating func unregister(_ id: KprobeID) {
    unregister([id])
  }

  /// Unregisters probes. One that is not registered loses its address, which is all its owner
  /// learns.
  ///
  /// Kernel: kernel/kprobes.c unregister_kprobes(), __unregister_kprobe_top(),
  /// __unregister_kprobe_bottom()
  public mutating func unregister(_ ids: [KprobeID]) {
    for id in ids where table[id] != nil {
      do {
        try take(id)
      } catch {
        table.probes[id.rawValue].address = nil
      }
    }
  }

  /// Takes a probe out of its entry, and the entry out of the table if it was the last.
  private mutating func take(_ id: KprobeID) throws(KprobeError) {
    let entry = try disableEntry(of: id)
    let isLast = table.entries[entry.rawValue].members.count == 1
    if !table.entries[entry.rawValue].isAggregate || (isLast && isDisarmed(entry)) {
      table.entries[entry.rawValue].isListed = false
      free(entry)
      return
    }
    let flags = table.probes[id.rawValue].flags
    if table.probes[id.rawValue].handlers.contains(.post) && !flags.contains(.gone) {
      let others = table.entries[entry.rawValue].members.filter { $0 != id }
      let isNeeded = others.contains { table.probes[$0.rawValue].handlers.contains(.post) }
      // How the function tracer was hooked depends on it, so there it stays.
      let isHook = table.flags(of: entry).contains(.ftrace)
      if !isNeeded && !isHook { table.entries[entry.rawValue].hasPostHandler = false }
    }
    table.entries[entry.rawValue].members.removeAll { $0 == id }
    if !table.flags(of: entry).contains(.disabled) && !areAllDisarmed { optimize(entry) }
  }

  /// Gives back the memory of an entry that has left the table.
  ///
  /// Kernel: kernel/kprobes.c free_aggr_kprobe(), arch_remove_kprobe()
  mutating func free(_ entry: KprobeEntryID) {
    detours.release(table.entries[entry.rawValue].instruction.detour)
    slots.release(table.entries[entry.rawValue].instruction.slot)
  }

  /// What the kernel finds at an address.
  func site(at address: Address) -> KprobeSite {
    var site = text.site(at: address, architecture: rules.architecture)
    site.canUseFtrace = configuration.canUseFtrace
    site.isBlacklisted = blacklist.contains(address, in: text, rules: rules)
    return site
  }
}

extension KprobeKernel {
  /// Tells kprobes that a module has changed its state. Of a live module the initialisation text is
  /// about to be freed, of a going one all text; what was probed there is killed.
  ///
  /// Returns whether there is such a module.
  ///
  /// Kernel: kernel/kprobes.c kprobes_module_callback()
  @discardableResult
  public mutating func moduleChanged(_ name: String, to state: KernelModule.State) -> Bool {
    guard let index = text.modules.firstIndex(where: { $0.name == name }) else { return false }
    text.modules[index].state = state
    let module = text.modules[index]
    switch state {
    case .coming:
      if rules.blacklist >= .areasOfModules { blacklist.add(module, in: text) }
    case .live:
      for entry in table.listed
      where module.initText.contains(table.entries[entry.rawValue].address) {
        kill(entry)
      }
    case .going:
      for entry in table.listed {
        let address = table.entries[entry.rawValue].address
        if module.initText.contains(address) || module.core.contains(address) { kill(entry) }
      }
      if rules.blacklist >= .areasOfModules { blacklist.remove(module) }
      text.modules[index].canBePinned = false
    }
    return true
  }

  /// Frees a module's initialisation text, some time after it became live.
  ///
  /// Kernel: kernel/module/main.c do_init_module()
  public mutating func freedInitialText(ofModule name: String) {
    guard let index = text.modules.firstIndex(where: { $0.name == name }) else { return }
    let start = text.modules[index].initText.lowerBound
    text.modules[index].initText = start..<start
  }

  /// Frees the kernel's own initialisation text.
  ///
  /// Kernel: kernel/kprobes.c kprobe_free_init_mem()
  public mutating func freedInitialText(_ range: Range<UInt64>) {
    for entry in table.listed where range.contains(table.entries[entry.rawValue].address) {
      kill(entry)
    }
  }

  /// Gives up the probes at an address whose text goes. The breakpoint is not taken out, because
  /// the memory goes with it; only the function tracer has to be told.
  ///
  /// The probes stay in the table, marked, until their owners unregister them.
  ///
  /// Kernel: kernel/kprobes.c kill_kprobe()
  mutating func kill(_ entry: KprobeEntryID) {
    let flags = table.flags(of: entry)
    let isHooked = flags.contains(.ftrace) && !flags.contains(.disabled) && !areAllDisarmed
    switch rules.goneFtrace {
    case .isDisarmed:
      if isHooked { table.entries[entry.rawValue].isArmed = false }
    case .staysArmed: break
    }
    table.updateFlags(of: entry) { $0.insert(.gone) }
    if table.entries[entry.rawValue].isAggregate {
      for member in table.entries[entry.rawValue].members {
        table.probes[member.rawValue].flags.insert(.gone)
      }
      table.entries[entry.rawValue].hasPostHandler = false
      killOptimization(entry)
    }
    if !flags.contains(.ftrace) { table.entries[entry.rawValue].isArmed = false }
    slots.release(table.entries[entry.rawValue].instruction.slot)
    table.entries[entry.rawValue].instruction.slot = nil
    for member in table.entries[entry.rawValue].members {
      table.probes[member.rawValue].instruction?.slot = nil
    }
  }
}

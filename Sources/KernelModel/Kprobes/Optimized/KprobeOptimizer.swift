extension KprobeKernel {
  /// Puts the breakpoint in, or hooks the function tracer, and has the probe optimised if it can
  /// be.
  ///
  /// Kernel: kernel/kprobes.c arm_kprobe(), __arm_kprobe()
  mutating func arm(_ entry: KprobeEntryID) {
    if !table.flags(of: entry).contains(.ftrace),
      let other = optimizedEntry(over: table.entries[entry.rawValue].address)
    {
      unoptimize(other, force: true)
    }
    table.entries[entry.rawValue].isArmed = true
    optimize(entry)
  }

  /// Takes the breakpoint out. A jump is taken out by the optimiser, later.
  ///
  /// Another probe whose jump was in the way could have it again. The kernel tries, but too early:
  /// this one is marked as disabled only afterwards, so that it is still in the way.
  ///
  /// Kernel: kernel/kprobes.c disarm_kprobe(), __disarm_kprobe()
  mutating func disarm(_ entry: KprobeEntryID, reoptimizes: Bool) {
    unoptimize(entry, force: areAllDisarmed)
    guard !isQueued(entry) else { return }
    table.entries[entry.rawValue].isArmed = false
    if reoptimizes, let other = optimizedEntry(over: table.entries[entry.rawValue].address) {
      optimize(other)
    }
  }

  /// Makes a manager with a detour for a probe that can be replaced by a jump.
  ///
  /// Kernel: kernel/kprobes.c try_to_optimize_kprobe()
  mutating func tryToOptimize(_ entry: KprobeEntryID) {
    guard !table.flags(of: entry).contains(.ftrace) else { return }
    prepareOptimization(entry)
    guard table.entries[entry.rawValue].optimization != .impossible else { return }
    makeAggregate(entry)
    optimize(entry)
  }

  /// Kernel: kernel/kprobes.c __prepare_optimized_kprobe(), arch_prepare_optimized_kprobe()
  mutating func prepareOptimization(_ entry: KprobeEntryID) {
    let address = table.entries[entry.rawValue].address
    guard configuration.canOptimize, !table.flags(of: entry).contains(.ftrace),
      table.entries[entry.rawValue].optimization == .impossible,
      let jump = text.jumps.first(where: { $0.lowerBound == address }),
      let detour = detours.take()
    else { return }
    table.entries[entry.rawValue].instruction.detour = detour
    table.entries[entry.rawValue].jumpLength = jump.upperBound - jump.lowerBound
    table.entries[entry.rawValue].optimization = .prepared
  }

  /// Has the jump put in, unless something speaks against it.
  ///
  /// Kernel: kernel/kprobes.c optimize_kprobe(), arch_check_optimized_kprobe()
  mutating func optimize(_ entry: KprobeEntryID) {
    let state = table.entries[entry.rawValue].optimization
    guard state != .impossible, allowsOptimization, !areAllDisarmed,
      !table.flags(of: entry).contains(.disabled), !table.hasPostHandler(entry),
      !hasNeighbour(entry)
    else { return }
    switch state {
    case .impossible, .queued, .done, .leaving: return
    case .unqueued: table.entries[entry.rawValue].optimization = .done
    case .prepared:
      table.updateFlags(of: entry) { $0.insert(.optimized) }
      table.entries[entry.rawValue].optimization = .queued
    }
  }

  /// Has the jump taken out: at once, or by the optimiser.
  ///
  /// Kernel: kernel/kprobes.c unoptimize_kprobe()
  mutating func unoptimize(_ entry: KprobeEntryID, force: Bool) {
    guard table.entries[entry.rawValue].isAggregate, !isDisarmed(entry) else { return }
    switch (table.entries[entry.rawValue].optimization, force) {
    case (.impossible, _), (.prepared, _), (.leaving, _), (.unqueued, false): return
    case (.queued, _), (.done, true):
      table.updateFlags(of: entry) { $0.remove(.optimized) }
      table.entries[entry.rawValue].optimization = .prepared
    case (.done, false):
      table.entries[entry.rawValue].optimization = .unqueued
    case (.unqueued, true):
      table.updateFlags(of: entry) { $0.remove(.optimized) }
      table.entries[entry.rawValue].optimization = .leaving
    }
  }

  /// What the optimiser does when it gets to run: takes jumps out, then puts jumps in.
  ///
  /// Kernel: kernel/kprobes.c kprobe_optimizer()
  public mutating func runOptimizer() {
    for entry in table.listed {
      switch table.entries[entry.rawValue].optimization {
      case .impossible, .prepared, .queued, .done: continue
      case .unqueued, .leaving: break
      }
      table.entries[entry.rawValue].optimization = .prepared
      table.updateFlags(of: entry) { $0.remove(.optimized) }
      let flags = table.flags(of: entry)
      if flags.contains(.disabled) && !flags.contains(.gone) {
        table.entries[entry.rawValue].isArmed = false
      }
      if isUnused(entry) {
        table.entries[entry.rawValue].isListed = false
        free(entry)
      }
    }
    guard allowsOptimization, !areAllDisarmed else { return }
    for entry in table.listed where table.entries[entry.rawValue].optimization == .queued {
      table.entries[entry.rawValue].optimization = .done
    }
  }

  /// Switches optimisation on or off for all probes.
  ///
  /// Kernel: kernel/kprobes.c optimize_all_kprobes(), unoptimize_all_kprobes()
  public mutating func setOptimization(_ isAllowed: Bool) {
    guard allowsOptimization != isAllowed else { return }
    allowsOptimization = isAllowed
    for entry in table.listed where !table.flags(of: entry).contains(.disabled) {
      if isAllowed { optimize(entry) } else { unoptimize(entry, force: false) }
    }
    if !isAllowed { runOptimizer() }
  }

  /// Forgets the detour of an entry whose text goes.
  ///
  /// Kernel: kernel/kprobes.c kill_optimized_kprobe()
  mutating func killOptimization(_ entry: KprobeEntryID) {
    table.updateFlags(of: entry) { $0.remove(.optimized) }
    detours.release(table.entries[entry.rawValue].instruction.detour)
    table.entries[entry.rawValue].instruction.detour = nil
    let isWaitedFor = isUnused(entry) && isQueued(entry)
    // An entry nobody uses any more is left to the optimiser to remove.
    table.entries[entry.rawValue].optimization = isWaitedFor ? .leaving : .impossible
  }

  /// Takes back an entry that only waits to be removed.
  ///
  /// Kernel: kernel/kprobes.c reuse_unused_kprobe()
  mutating func reuse(_ entry: KprobeEntryID) throws(KprobeError) {
    table.updateFlags(of: entry) { $0.remove(.disabled) }
    guard table.entries[entry.rawValue].optimization != .impossible,
      table.entries[entry.rawValue].instruction.detour != nil
    else { throw .reserved }
    optimize(entry)
  }

  /// Whether the manager has no probes left and is not wanted. Kernel's name: kprobe_unused().
  func isUnused(_ entry: KprobeEntryID) -> Bool {
    let value = table.entries[entry.rawValue]
    return value.isAggregate && value.members.isEmpty && value.flags.contains(.disabled)
  }

  /// Whether the optimiser has it on one of its lists. Kernel's name: kprobe_queued().
  func isQueued(_ entry: KprobeEntryID) -> Bool {
    switch table.entries[entry.rawValue].optimization {
    case .queued, .unqueued, .leaving: true
    case .impossible, .prepared, .done: false
    }
  }

  /// Whether nothing is in the text any more. Kernel's name: kprobe_disarmed().
  func isDisarmed(_ entry: KprobeEntryID) -> Bool {
    table.flags(of: entry).contains(.disabled) && !isQueued(entry)
  }

  /// The entry whose jump would cover an address behind its own. Kernel's name:
  /// get_optimized_kprobe().
  private func optimizedEntry(over address: UInt64) -> KprobeEntryID? {
    table.listed.first { entry in
      let value = table.entries[entry.rawValue]
      let distance = address &- value.address
      return distance > 0 && distance < value.jumpLength && value.optimization != .impossible
        && !isDisarmed(entry)
    }
  }

  /// Whether another probe is where the jump would be.
  private func hasNeighbour(_ entry: KprobeEntryID) -> Bool {
    let value = table.entries[entry.rawValue]
    return table.listed.contains { other in
      let distance = table.entries[other.rawValue].address &- value.address
      return distance > 0 && distance < value.jumpLength && !isDisarmed(other)
    }
  }
}

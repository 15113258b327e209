internal import ProbeEvents

extension Uprobes {
  /// Whether making a site of the probe a call is worth trying.
  ///
  /// Kernel: arch/x86/kernel/uprobes.c should_optimize()
  func shouldOptimize(_ probe: Uprobe) -> Bool {
    rules.optimizedSites != .none && !probe.optimizationFailed
      && probe.treatment?.canBeOptimized == true
  }

  /// Makes the site a call to the trampoline for optimised sites, after its first hit by breakpoint.
  /// A failure anywhere is for good, everywhere.
  ///
  /// Kernel: arch/x86/kernel/uprobes.c arch_uprobe_optimize(), swbp_optimize() (6.18)
  mutating func optimize(_ probe: UprobeIdentity, in task: ProbedTask, at address: Address) {
    guard let index = probeIndex(probe), shouldOptimize(probes[index]),
      spaces.indices.contains(task.space),
      // Another thread may have been faster, or the handlers have removed the breakpoint.
      spaces[task.space].contents(at: address) == .breakpoint
    else { return }
    guard !task.isCompat, let trampoline = spaces[task.space].optimizedTrampolinePlace,
      isReachable(trampoline, from: address), allocate()
    else {
      probes[index].optimizationFailed = true
      return
    }
    spaces[task.space].hasOptimizedTrampoline = true
    spaces[task.space].sites[address] = .optimizedCall
  }

  /// Bytes of an optimised site.
  var optimizedSiteBytes: UInt64 {
    switch rules.optimizedSites {
    case .none, .nop5: 5
    case .nop10: 10
    }
  }

  /// Bytes below the stack pointer that an optimised site leaves alone.
  var optimizedSiteRedZone: UInt64 {
    switch rules.optimizedSites {
    case .none, .nop5: 0
    case .nop10: 128
    }
  }

  /// Kernel: arch/x86/kernel/uprobes.c is_reachable_by_call()
  private func isReachable(_ trampoline: Address, from address: Address) -> Bool {
    let distance = Int64(bitPattern: address &+ optimizedSiteBytes &- trampoline)
    return Int64(Int32.min)...Int64(Int32.max) ~= distance
  }
}

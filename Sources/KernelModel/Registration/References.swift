extension Uprobes {
  /// Takes a reference; false when the probe is about to go.
  ///
  /// Kernel: kernel/events/uprobes.c get_uprobe(), try_get_uprobe()
  mutating func takeReference(_ identity: UprobeIdentity) -> Bool {
    guard let index = probeIndex(identity), probes[index].references > 0 else { return false }
    probes[index].references += 1
    return true
  }

  /// Gives a reference back. The last one frees the probe: at once, or since 6.12 by work that is
  /// done later, until when it can still be found.
  ///
  /// Kernel: kernel/events/uprobes.c put_uprobe()
  mutating func dropReference(_ identity: UprobeIdentity) {
    guard let index = probeIndex(identity), probes[index].references > 0 else { return }
    probes[index].references -= 1
    guard probes[index].references == 0 else { return }
    switch rules.probeLifetime {
    case .creationAndAccess: free(at: index)
    case .perRegistration: break
    }
  }

  /// Does the work that was put off: frees the probes nobody holds any more.
  ///
  /// Kernel: kernel/events/uprobes.c uprobe_free_deferred() (6.12)
  public mutating func runDeferredWork() {
    while let index = probes.firstIndex(where: { $0.references == 0 }) { free(at: index) }
  }

  private mutating func free(at index: Int) {
    let identity = probes[index].identity
    delayedCounters.removeAll { $0.probe == identity }
    probes.remove(at: index)
  }

  /// Takes the probe out of the table and gives back the reference the table held.
  ///
  /// Kernel: kernel/events/uprobes.c delete_uprobe() (until 6.11)
  mutating func deleteProbe(_ identity: UprobeIdentity) {
    guard let index = probeIndex(identity), probes[index].isActive else { return }
    probes[index].isActive = false
    dropReference(identity)
  }
}

internal import ProbeEvents

/// A reference counter whose mapping is not there yet: it is counted up when it comes.
///
/// Kernel: kernel/events/uprobes.c `struct delayed_uprobe`
public struct DelayedCounter: Sendable, Hashable {
  /// The probe.
  public var probe: UprobeIdentity
  /// The address space.
  public var space: Int
}

extension Uprobes {
  /// Counts a probe's reference counter in one process: the program reads it to know that somebody
  /// is watching (USDT's semaphore).
  ///
  /// A counter that is not mapped yet is remembered when counting up, and forgotten when counting
  /// down.
  ///
  /// Kernel: kernel/events/uprobes.c update_ref_ctr(), find_ref_ctr_vma() (4.20)
  mutating func updateCounter(
    of probe: UprobeIdentity, in space: Int, by difference: Int16
  ) throws(UprobeRefusal) {
    guard let index = probeIndex(probe), probes[index].referenceCounterOffset != 0 else { return }
    var refusal: UprobeRefusal?
    if let mapping = spaces[space].mappings.first(where: { isCounterMapping($0, of: index) }),
      let address = mapping.address(of: probes[index].referenceCounterOffset)
    {
      refusal = count(at: address, in: space, by: difference)
      if difference > 0 {
        if let refusal { throw refusal }
        return
      }
    }
    let counter = DelayedCounter(probe: probe, space: space)
    if difference > 0 {
      if delayedCounters.contains(counter) { return }
      guard allocate() else { throw .outOfMemory }
      delayedCounters.append(counter)
    } else {
      delayedCounters.removeAll { $0 == counter }
      if let refusal { throw refusal }
    }
  }

  /// Counts up the remembered counters that a new mapping brings; the error of the first that fails
  /// does not stop the others.
  ///
  /// Kernel: kernel/events/uprobes.c delayed_ref_ctr_inc()
  mutating func countDelayed(in space: Int, mapping: Mapping) {
    for counter in delayedCounters where counter.space == space {
      guard let index = probeIndex(counter.probe), isCounterMapping(mapping, of: index),
        let address = mapping.address(of: probes[index].referenceCounterOffset)
      else { continue }
      _ = count(at: address, in: space, by: 1)
      delayedCounters.removeAll { $0 == counter }
    }
  }

  /// Whether a mapping holds the reference counter: a writable, private one of the probe's file.
  ///
  /// Kernel: kernel/events/uprobes.c valid_ref_ctr_vma()
  private func isCounterMapping(_ mapping: Mapping, of index: Int) -> Bool {
    mapping.inode == probes[index].inode && mapping.isWritable && !mapping.isShared
      && mapping.address(of: probes[index].referenceCounterOffset) != nil
  }

  /// Changes a counter, which must not become negative. That the highest one wraps is not noticed
  /// before the next change.
  ///
  /// Kernel: kernel/events/uprobes.c __update_ref_ctr()
  private mutating func count(
    at address: Address, in space: Int, by difference: Int16
  ) -> UprobeRefusal? {
    let value = spaces[space].counters[address] ?? 0
    guard Int(value) + Int(difference) >= 0 else {
      warnings.append(.negativeReferenceCounter)
      return .negativeReferenceCounter
    }
    spaces[space].counters[address] = value &+ difference
    return nil
  }
}

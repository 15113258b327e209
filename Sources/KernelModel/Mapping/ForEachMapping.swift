extension Uprobes {
  /// Goes through all mappings of a probe's place: with a new consumer, placing breakpoints where it
  /// wants them; without, removing them where nobody does.
  ///
  /// The first breakpoint that cannot be placed ends the walk. Removal goes on; its result is only
  /// whether all went well.
  ///
  /// Kernel: kernel/events/uprobes.c register_for_each_vma(), build_map_info()
  mutating func forEachMapping(
    of probe: UprobeIdentity, registering consumer: Consumer?
  ) -> UprobeRefusal? {
    guard let index = probeIndex(probe) else { return nil }
    let (inode, offset) = (probes[index].inode, probes[index].offset)
    var refusal: UprobeRefusal?
    for space in spaces.indices where !spaces[space].isDying {
      for mapping in spaces[space].mappings
      where mapping.inode == inode && mapping.isValid(registering: consumer != nil) {
        guard let address = mapping.address(of: offset) else { continue }
        do throws(UprobeRefusal) {
          if let consumer {
            // Only the new consumer is asked: what the others wanted is there already.
            guard consumer.wants(space: space) else { continue }
            try install(probe, in: space, at: address)
          } else if spaces[space].hasUprobes, !filterChain(probe, space: space) {
            try remove(probe, from: space, at: address)
          }
        } catch {
          refusal = refusal ?? error
          if consumer != nil { return refusal }
        }
      }
    }
    return refusal
  }

  /// Whether any consumer wants the probe's breakpoint in an address space.
  ///
  /// Kernel: kernel/events/uprobes.c filter_chain()
  func filterChain(_ probe: UprobeIdentity, space: Int) -> Bool {
    guard let index = probeIndex(probe) else { return false }
    return probes[index].consumers.contains { $0.wants(space: space) }
  }

  /// Removes the probe's breakpoints from one address space, because all handlers asked for it.
  ///
  /// Kernel: kernel/events/uprobes.c unapply_uprobe()
  mutating func unapply(_ probe: UprobeIdentity, space: Int) {
    guard let index = probeIndex(probe), spaces.indices.contains(space) else { return }
    let (inode, offset) = (probes[index].inode, probes[index].offset)
    for mapping in spaces[space].mappings
    where mapping.inode == inode && mapping.isValid(registering: false) {
      guard let address = mapping.address(of: offset) else { continue }
      // Errors are nobody's business here.
      try? remove(probe, from: space, at: address)
    }
  }
}

extension Uprobes {
  /// Takes a consumer off its probe, and the breakpoints out of all mappings nobody else wants them
  /// in. The last consumer's leaving is the end of the probe.
  ///
  /// Hits in flight are not waited for here. They find no probe and run again, or go on with the
  /// reference they have.
  ///
  /// Kernel: kernel/events/uprobes.c uprobe_unregister(), uprobe_unregister_nosync() (6.12)
  public mutating func unregister(_ registration: Registration) {
    switch rules.probeLifetime {
    case .creationAndAccess:
      // It is looked up by its place, which also gives the reference to work with.
      guard let index = probeIndex(registration.probe), probes[index].isActive,
        takeReference(registration.probe)
      else {
        warnings.append(.unknownConsumer)
        return
      }
      unregisterConsumer(registration)
      dropReference(registration.probe)
    case .perRegistration:
      unregisterConsumer(registration)
    }
  }

  /// The part that a refused registration needs as well.
  ///
  /// A breakpoint that cannot be removed makes the probe stay: a task may still hit it.
  ///
  /// Kernel: kernel/events/uprobes.c __uprobe_unregister(), consumer_del()
  mutating func unregisterConsumer(_ registration: Registration) {
    guard let index = probeIndex(registration.probe),
      let place = probes[index].consumers.firstIndex(where: {
        $0.identity == registration.consumer
      })
    else {
      warnings.append(.unknownConsumer)
      return
    }
    probes[index].consumers.remove(at: place)
    let refusal = forEachMapping(of: registration.probe, registering: nil)
    switch (rules.probeLifetime, refusal) {
    case (.creationAndAccess, nil):
      if probes[index].consumers.isEmpty { deleteProbe(registration.probe) }
    case (.creationAndAccess, .some):
      // The kernel says nothing, but the outcome is the same.
      if probes[index].consumers.isEmpty { warnings.append(.leakedProbe) }
    case (.perRegistration, nil):
      dropReference(registration.probe)
    case (.perRegistration, .some):
      warnings.append(.leakedProbe)
    }
  }

  /// Places or removes breakpoints again after a consumer's filter has changed its mind.
  ///
  /// - Parameter adding: whether to place those the consumer wants; if not, those nobody wants are
  ///   removed.
  ///
  /// Kernel: kernel/events/uprobes.c uprobe_apply()
  public mutating func apply(
    _ registration: Registration, filter: Consumer.Filter, adding: Bool
  ) throws(UprobeRefusal) {
    guard let index = probeIndex(registration.probe),
      let place = probes[index].consumers.firstIndex(where: {
        $0.identity == registration.consumer
      })
    else { throw .noSuchConsumer }
    probes[index].consumers[place].filter = filter
    let consumer = probes[index].consumers[place]
    let refusal = forEachMapping(of: registration.probe, registering: adding ? consumer : nil)
    if let refusal { throw refusal }
  }
}

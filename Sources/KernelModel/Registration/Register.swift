/// A consumer's registration with a probe.
public struct Registration: Sendable, Hashable {
  /// The probe.
  public var probe: UprobeIdentity
  /// The consumer's number.
  public var consumer: UInt64
}

/// A registration that has its probe, but has not put its consumer there yet.
public struct PendingRegistration: Sendable, Hashable {
  /// The probe it holds a reference to.
  public var probe: UprobeIdentity
  /// The consumer.
  public var consumer: Consumer
}

extension Uprobes {
  /// Registers a consumer with the probe at an offset of a file, and places the breakpoint in all
  /// mappings its filter accepts.
  ///
  /// Kernel: kernel/events/uprobes.c __uprobe_register(), uprobe_register() (6.12)
  public mutating func register(
    _ consumer: Consumer, inode: UInt64, offset: UInt64, referenceCounterOffset: UInt64 = 0
  ) throws(UprobeRefusal) -> Registration {
    while true {
      let pending = try beginRegistration(
        consumer, inode: inode, offset: offset, referenceCounterOffset: referenceCounterOffset)
      if let registration = try finishRegistration(pending) { return registration }
    }
  }

  /// Checks the arguments, then finds the probe or makes it. Between this and
  /// ``finishRegistration(_:)`` anything may happen, as nothing is locked.
  ///
  /// Kernel: kernel/events/uprobes.c __uprobe_register() up to alloc_uprobe()
  public mutating func beginRegistration(
    _ consumer: Consumer, inode: UInt64, offset: UInt64, referenceCounterOffset: UInt64 = 0
  ) throws(UprobeRefusal) -> PendingRegistration {
    try checkArguments(
      consumer, file: files.first { $0.inode == inode }, offset: offset,
      referenceCounterOffset: referenceCounterOffset)
    let counter =
      rules.registrationChecks == .withoutReferenceCounters ? 0 : referenceCounterOffset
    let probe = try findOrInsert(inode: inode, offset: offset, referenceCounterOffset: counter)
    return PendingRegistration(probe: probe, consumer: consumer)
  }

  /// Puts the consumer on its probe and places the breakpoints. If one cannot be placed, the consumer
  /// leaves again and those already placed are removed.
  ///
  /// - Returns: nil when the probe was taken out of the table in between, so that registration has
  ///   to begin anew (until 6.11; since then the reference it has keeps the probe there).
  ///
  /// Kernel: kernel/events/uprobes.c __uprobe_register() from uprobe_is_active(), consumer_add()
  public mutating func finishRegistration(
    _ pending: PendingRegistration
  ) throws(UprobeRefusal) -> Registration? {
    guard let index = probeIndex(pending.probe) else { return nil }
    if rules.probeLifetime == .creationAndAccess, !probes[index].isActive {
      dropReference(pending.probe)
      return nil
    }
    lastConsumer += 1
    var consumer = pending.consumer
    consumer.identity = lastConsumer
    probes[index].consumers.insert(consumer, at: 0)
    let registration = Registration(probe: pending.probe, consumer: consumer.identity)

    let refusal = forEachMapping(of: pending.probe, registering: consumer)
    if refusal != nil { unregisterConsumer(registration) }
    switch rules.probeLifetime {
    case .creationAndAccess: dropReference(pending.probe)
    // The reference stays with the registration; a refused one has given it back by now.
    case .perRegistration: break
    }
    if let refusal { throw refusal }
    return registration
  }

  /// The checks of the arguments, in the kernel's order.
  private func checkArguments(
    _ consumer: Consumer, file: ProbedFile?, offset: UInt64, referenceCounterOffset: UInt64
  ) throws(UprobeRefusal) {
    guard consumer.hasHandler || consumer.hasReturnHandler else { throw .noHandler }
    // A file nobody described cannot be read.
    guard let file, file.reader != .none else { throw .unreadableFile }
    guard offset <= file.sizeBytes else { throw .offsetPastEnd }
    guard rules.registrationChecks == .alignment else { return }
    guard offset % rules.breakpointBytes == 0 else { throw .misalignedOffset }
    guard referenceCounterOffset % 2 == 0 else { throw .misalignedReferenceCounter }
  }

  /// The probe at an offset, with one more reference; or a new one.
  ///
  /// Kernel: kernel/events/uprobes.c alloc_uprobe(), insert_uprobe()
  private mutating func findOrInsert(
    inode: UInt64, offset: UInt64, referenceCounterOffset: UInt64
  ) throws(UprobeRefusal) -> UprobeIdentity {
    // The new probe is made first, even if it turns out not to be needed.
    guard allocate() else { throw .outOfMemory }
    if let index = activeIndex(inode: inode, offset: offset) {
      let identity = probes[index].identity
      if takeReference(identity) {
        guard probes[index].referenceCounterOffset == referenceCounterOffset else {
          warnings.append(.conflictingReferenceCounter)
          dropReference(identity)
          throw .conflictingReferenceCounter
        }
        return identity
      }
      // About to go: it makes room (6.12).
      probes[index].isActive = false
    }
    lastProbe += 1
    let identity = UprobeIdentity(rawValue: lastProbe)
    let references =
      switch rules.probeLifetime {
      case .creationAndAccess: 2
      case .perRegistration: 1
      }
    probes.append(
      Uprobe(
        identity: identity, inode: inode, offset: offset,
        referenceCounterOffset: referenceCounterOffset, references: references))
    return identity
  }
}

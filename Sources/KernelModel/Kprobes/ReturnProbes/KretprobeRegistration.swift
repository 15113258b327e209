public import ProbeEvents

extension KprobeKernel {
  /// Makes a return probe known.
  public mutating func declareReturnProbe(
    address: Address? = nil, symbol: String? = nil, offset: UInt64 = 0, hasHandler: Bool = true,
    hasEntryHandler: Bool = false, instanceLimit: Int = 0, dataSize: Int = 0
  ) -> KretprobeID {
    let probe = declare(
      Kprobe(address: address, symbol: symbol, offset: offset, handlers: .pre))
    returnProbes.append(
      Kretprobe(
        probe: probe, hasHandler: hasHandler, hasEntryHandler: hasEntryHandler,
        instanceLimit: instanceLimit, dataSize: dataSize))
    return KretprobeID(returnProbes.count - 1)
  }

  /// A return probe; nil for a name from another kernel.
  public subscript(id: KretprobeID) -> Kretprobe? {
    returnProbes.indices.contains(id.rawValue) ? returnProbes[id.rawValue] : nil
  }

  /// Registers a return probe.
  ///
  /// Kernel: kernel/kprobes.c register_kretprobe(), kprobe_on_func_entry()
  public mutating func registerReturnProbe(_ id: KretprobeID) throws(KprobeError) {
    guard let returnProbe = self[id], let probe = table[returnProbe.probe] else {
      throw .notRegistered
    }
    let place = try entryOfFunction(probe)
    if isRecent {
      if probe.address != nil && table.validEntry(of: returnProbe.probe) != nil {
        throw .alreadyRegistered
      }
    }
    if returnBlacklist.contains(place) { throw .returnBlacklisted }
    if isRecent && returnProbe.dataSize > 4096 { throw .dataTooLarge }

    table.probes[returnProbe.probe.rawValue].handlers = .pre
    if returnProbe.instanceLimit <= 0 {
      returnProbes[id.rawValue].instanceLimit = defaultInstances
    }
    returnProbes[id.rawValue].missed = 0
    do {
      try register(returnProbe.probe)
    } catch {
      // Until 5.17 also those of one that was registered already: its calls are missed from now on.
      returnProbes[id.rawValue].free = 0
      throw error
    }
    returnProbes[id.rawValue].free = returnProbes[id.rawValue].instanceLimit
    returnProbes[id.rawValue].isAlive = true
    returnProbes[id.rawValue].registration += 1
  }

  /// Unregisters a return probe. Calls that are pending return without its handler.
  ///
  /// Kernel: kernel/kprobes.c unregister_kretprobes()
  public mutating func unregisterReturnProbe(_ id: KretprobeID) {
    guard let returnProbe = self[id] else { return }
    unregister(returnProbe.probe)
    returnProbes[id.rawValue].isAlive = false
    returnProbes[id.rawValue].free = 0
  }

  /// How many instances a return probe gets that does not say.
  var defaultInstances: Int {
    let processors = max(configuration.processors, 1)
    switch (rules.defaultInstances, configuration.isPreemptible) {
    case (.byPreemption, false): return processors
    case (.byPreemption, true), (.atLeastTen, true), (.atLeastTen, false):
      return max(10, processors.multipliedReportingOverflow(by: 2).partialValue)
    }
  }

  /// Whether errors of the look-up are passed on, and more is checked: not in 5.10.13, but in
  /// 6.1.192.
  private var isRecent: Bool {
    switch rules.landingPad {
    case .kept: false
    case .skipped, .symbolOnly: true
    }
  }

  private func entryOfFunction(_ probe: Kprobe) throws(KprobeError) -> Address {
    do throws(KprobeError) {
      let place = try rules.resolve(probe, in: text)
      guard place.isFunctionEntry else { throw .notFunctionEntry }
      return place.address
    } catch {
      throw isRecent ? error : .notFunctionEntry
    }
  }
}

public import ProbeEvents

extension KprobeKernel {
  /// A return-probed function was entered: the pre-handler of its probe. Whatever comes of it, the
  /// handler returns zero.
  ///
  /// - Parameters:
  ///   - returnAddress: where the function would return to; replaced by the trampoline.
  ///   - frame: the stack frame, by which the return is recognised.
  ///   - isInNMI: whether a non-maskable interrupt was interrupted.
  ///   - canBeFreed: whether memory is reclaimed in this context (RCU is watching); rethook asks.
  ///   - handlerDeclines: what the entry handler says, if there is one.
  ///
  /// Kernel: kernel/kprobes.c pre_handler_kretprobe(); kernel/trace/rethook.c rethook_try_get()
  public mutating func enterReturnProbe(
    _ id: KretprobeID, returnAddress: inout Address, frame: Address, isInNMI: Bool = false,
    canBeFreed: Bool = true, handlerDeclines: Bool = false, in task: inout KretprobeTask
  ) -> KretprobeEntry {
    guard let returnProbe = self[id] else { return .missed }
    let isRefused =
      isInNMI && rules.returnProbesInNMI == .missed
      || rules.returnStorage == .rethook && !(canBeFreed && returnProbe.isAlive)
    guard !isRefused, returnProbe.free > 0 else {
      returnProbes[id.rawValue].missed &+= 1
      return .missed
    }
    if returnProbe.hasEntryHandler && handlerDeclines { return .declined }
    returnProbes[id.rawValue].free -= 1
    task.instances.insert(
      KretprobeInstance(
        owner: id, returnAddress: returnAddress, frame: frame,
        registration: returnProbe.registration), at: 0)
    returnAddress = returnTrampoline
    return .hooked
  }

  /// A task has arrived at the trampoline.
  ///
  /// All instances down to the first that knows a real address return together: they are of one
  /// call, or of a chain of tail calls.
  ///
  /// Kernel: kernel/kprobes.c __kretprobe_trampoline_handler(); kernel/trace/rethook.c
  /// rethook_trampoline_handler()
  public mutating func returnThroughTrampoline(
    frame: Address, in task: inout KretprobeTask
  ) -> KretprobeArrival {
    let isOurs: (KretprobeInstance) -> Bool =
      switch rules.returnStorage {
      case .hashTableWithFrames: { $0.frame == frame }
      case .hashTable, .perTask, .rethook, .objectPool: { _ in true }
      }
    let trampoline = returnTrampoline
    guard
      let last = task.instances.firstIndex(where: {
        isOurs($0) && $0.returnAddress != trampoline
      }), task.instances[last].returnAddress != 0
    else { return .stopped }
    let target = task.instances[last].returnAddress
    let returning = task.instances[...last].filter(isOurs)
    task.instances = task.instances[...last].filter { !isOurs($0) } + task.instances[(last + 1)...]

    var handlers: [KretprobeID] = []
    var isInOrder = true
    for instance in returning {
      switch rules.returnStorage {
      case .hashTable, .hashTableWithFrames: break
      case .perTask, .rethook, .objectPool:
        // The kernel warns and calls no further handlers.
        if instance.frame != frame { isInOrder = false }
      }
      let hasHandler = returnProbes[instance.owner.rawValue].hasHandler
      if isInOrder && isWanted(instance) && hasHandler { handlers.append(instance.owner) }
      recycle(instance)
    }
    return .returned(to: target, handlers: handlers)
  }

  /// Makes a return probe the running one while its handler runs: probes hit by it are missed.
  ///
  /// Kernel: kernel/kprobes.c __kretprobe_trampoline_handler(), kretprobe_rethook_handler()
  public func beginReturnHandler(_ id: KretprobeID, on processor: inout KprobeProcessor) {
    guard let returnProbe = self[id] else { return }
    processor.outerRunning = processor.running
    processor.running = .returnProbe(returnProbe.probe)
    switch rules.returnStorage {
    case .hashTable, .rethook: processor.status = .active
    case .hashTableWithFrames, .perTask, .objectPool: break
    }
  }

  /// Ends that. Some kernels go back to the probe that was running before, others to none.
  public func endReturnHandler(on processor: inout KprobeProcessor) {
    switch rules.returnStorage {
    case .hashTable, .rethook: processor.running = .none
    case .hashTableWithFrames, .perTask, .objectPool:
      processor.running = processor.outerRunning
    }
    processor.outerRunning = .none
  }

  /// A task has ended: its pending returns will never happen.
  ///
  /// Kernel: kernel/kprobes.c kprobe_flush_task()
  public mutating func flush(_ task: inout KretprobeTask) {
    for instance in task.instances { recycle(instance) }
    task.instances = []
  }

  /// Gives an instance back to its return probe, if that still wants it.
  ///
  /// Kernel: kernel/kprobes.c recycle_rp_inst()
  private mutating func recycle(_ instance: KretprobeInstance) {
    guard isWanted(instance) else { return }
    returnProbes[instance.owner.rawValue].free += 1
  }

  /// Whether the registration an instance was made for is still in force.
  private func isWanted(_ instance: KretprobeInstance) -> Bool {
    let owner = returnProbes[instance.owner.rawValue]
    return owner.isAlive && owner.registration == instance.registration
  }
}

public import ProbeEvents

extension UprobeTask {
  /// Replaces the return address by the trampoline and pushes a return instance.
  ///
  /// The order of the steps is the kernel's and shows in the outcome: the depth limit is tested
  /// before dead instances are dropped, so 64 dead ones block the task until some trampoline is hit;
  /// and the return address is replaced before they are dropped, so a chain that turns out to have
  /// no instance left is discovered with the trampoline already in the slot.
  ///
  /// Kernel: kernel/events/uprobes.c prepare_uretprobe()
  @inlinable @inline(__always)
  mutating func prepareReturnProbe(
    _ cause: EntryCause, rules: ReturnProbeRules
  ) -> EntryConclusion {
    guard returnInstances.depth < ReturnInstanceStack.capacity else {
      return EntryConclusion(.omittedAtDepthLimit)
    }
    guard var original = rules.hijackReturnAddress(cause) else {
      return EntryConclusion(.hijackFailed)
    }
    // Without an XOL area there is no trampoline yet; the kernel makes one now, and no word on the
    // stack can have known its address.
    let isChained = cause.trampoline != 0 && original == cause.trampoline

    let dropped = cleanUpReturnInstances(
      isChained ? .chainCall : .call, stackPointer: cause.stackPointer, rules: rules)

    if isChained {
      guard !returnInstances.isEmpty else {
        return EntryConclusion(.chainWithoutInstance, dropped: dropped)
      }
      // The trampoline is nobody's return address: a whole chain keeps that of its first caller.
      original = returnInstances[0].originalReturnAddress
    }
    returnInstances.push(
      ReturnInstance(
        function: cause.instructionPointer, stackPointer: cause.stackPointer,
        originalReturnAddress: original, isChained: isChained, entry: cause.entry))
    return EntryConclusion(isChained ? .chained : .pushed, dropped: dropped)
  }
}

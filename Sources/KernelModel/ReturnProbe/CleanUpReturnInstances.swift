public import ProbeEvents

extension UprobeTask {
  /// Drops dead instances from the head, without running handlers and without touching the stack
  /// words they had replaced. Returns how many.
  ///
  /// It stops at the first live one: a dead instance below a live one stays.
  ///
  /// Kernel: kernel/events/uprobes.c cleanup_return_instances() (4.3)
  @inlinable @inline(__always)
  mutating func cleanUpReturnInstances(
    _ context: LivenessContext, stackPointer: Address, rules: ReturnProbeRules
  ) -> UInt8 {
    var dropped: UInt8 = 0
    while !returnInstances.isEmpty,
      !rules.isAlive(returnInstances[0], context, stackPointer: stackPointer)
    {
      _ = returnInstances.pop(rules.depthAccounting)
      dropped += 1
    }
    return dropped
  }
}

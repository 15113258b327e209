public import ProbeEvents

extension UprobeTask {
  /// What the task does when it reaches the return trampoline.
  ///
  /// The newest chain returns if the chain below it is still alive: a frame can only return before
  /// its caller does. If that one is dead as well, the newest must have been left without a return
  /// (longjmp), and is popped without handlers. The oldest chain always returns, dead or not: nobody
  /// else could have reached the trampoline.
  ///
  /// - Parameter popped: a buffer to use again; afterwards it holds the instances popped by this
  ///   arrival, newest first.
  ///
  /// Kernel: kernel/events/uprobes.c handle_trampoline() (until 6.10 and since), with the liveness
  /// test since 4.3; before, it is the same walk with every chain alive.
  @inlinable @inline(__always)
  public mutating func handleTrampoline(
    _ arrival: TrampolineArrival, rules: ReturnProbeRules, popped: inout PoppedInstances
  ) -> TrampolineConclusion {
    popped.removeAll()
    while !returnInstances.isEmpty {
      let length = returnInstances.newestChainLength()
      let isValid =
        length == returnInstances.count
        || rules.isAlive(
          returnInstances[length], .return, stackPointer: arrival.stackPointer)

      let target = returnInstances[0].originalReturnAddress
      for _ in 0..<length {
        let instance = returnInstances.pop(rules.depthAccounting)
        popped.append(
          PoppedInstance(
            entry: instance.entry, function: instance.function,
            originalReturnAddress: instance.originalReturnAddress, handlersRan: isValid))
      }
      if isValid { return .returned(to: target) }
    }
    return .signal(rules.noInstanceSignal.number)
  }
}

import ProbeEvents

extension Replayer {
  /// Feeds an entry to the handler and checks the return address and the stack window against it.
  mutating func judgeEntry(_ hits: HitView, _ index: Int, _ slot: Int) {
    if pending.owesReturn(slot) {
      divergeMissingReturn(slot, seen: "an entry of \(probeName(hits.probe(index)))")
      return
    }
    let window = StackWindow(hits, index)
    guard let returnAddress = returnAddress(hits, index, window) else {
      stopJudging("hit \(nextHit) has no stack word to read its return address from")
      observer.concluded(hit: nextHit, depth: shadow.count(slot), .unjudged)
      return
    }
    let space = tasks[slot].addressSpace
    inferTrampoline(hits, window, slot)
    let trampoline = tasks.spaces[trampoline: space]
    let probe = hits.probe(index)
    let cause = EntryCause(
      instructionPointer: hits.instructionPointer(index),
      stackPointer: window.stackPointer, returnAddress: returnAddress, trampoline: trampoline,
      entry: nextHit << 24 | UInt64(probe), wantsReturn: wantsReturn[Int(probe)],
      isCompat: window.isCompat,
      stackWord: window.wordCount > 0 ? hits.word(window.first) : 0)
    let conclusion = handler.entry(slot: slot, cause: cause)
    if divergeIfFaulted(slot) { return }
    digest.add(UInt64(conclusion.outcome.rawValue) | UInt64(conclusion.dropped) << 8)
    guard apply(conclusion, of: cause, to: slot) else { return }
    guard checkWords(hits, window, slot, firstWord: 1) else { return }
    observer.concluded(hit: nextHit, depth: shadow.count(slot), .entry(conclusion))
  }

  /// The return address as the program had it: a word of the window, or the link register.
  private func returnAddress(
    _ hits: HitView, _ index: Int, _ window: StackWindow
  ) -> Address? {
    switch architecture {
    case .x86_64: window.wordCount > 0 ? window.word(0, hits) : nil
    case .aarch64: hits.linkRegister(index)
    }
  }

  /// Follows a handler's conclusion in the shadow stack; false when the return address that was
  /// found contradicts it.
  private mutating func apply(
    _ conclusion: EntryConclusion, of cause: EntryCause, to slot: Int
  ) -> Bool {
    let space = tasks[slot].addressSpace
    let isTrampoline = cause.trampoline != 0 && cause.returnAddress == cause.trampoline
    evidence.returnSlots += 1
    for distance in 0..<min(Int(conclusion.dropped), shadow.count(slot)) {
      tasks.spaces.leave(shadow[slot, newest: distance].stackPointer, in: space)
    }
    shadow.drop(slot: slot, Int(conclusion.dropped))
    let agrees =
      switch conclusion.outcome {
      case .pushed: !isTrampoline
      case .chained: isTrampoline && shadow.count(slot) > 0
      case .chainWithoutInstance: isTrampoline
      case .omittedAtDepthLimit, .hijackFailed: true
      case .noReturnProbe: !isTrampoline || holdsInstance(slot, at: cause.stackPointer)
      }
    guard agrees else {
      diverge(
        slot, .chainMismatch, expected: describe(conclusion),
        actual: isTrampoline
          ? "the return address is the trampoline already"
          : "the return address is \(hexadecimal(cause.returnAddress))",
        rule: Rule.prepare)
      return false
    }
    push(conclusion.outcome, cause, slot)
    return true
  }

  private mutating func push(
    _ outcome: EntryConclusion.Outcome, _ cause: EntryCause, _ slot: Int
  ) {
    let isChained: Bool
    switch outcome {
    case .pushed: isChained = false
    case .chained: isChained = true
    case .chainWithoutInstance:
      tasks.spaces.leave(cause.stackPointer, in: tasks[slot].addressSpace)
      return
    case .noReturnProbe, .omittedAtDepthLimit, .hijackFailed: return
    }
    let original =
      isChained
      ? shadow[slot, newest: 0].originalReturnAddress : cause.returnAddress
    shadow.push(
      slot: slot,
      ShadowStacks.Instance(
        stackPointer: cause.stackPointer, originalReturnAddress: original))
  }

  private func holdsInstance(_ slot: Int, at stackPointer: Address) -> Bool {
    // A link register says nothing about where the instance was made.
    guard architecture == .x86_64 else { return shadow.count(slot) > 0 }
    for distance in 0..<shadow.count(slot)
    where shadow[slot, newest: distance].stackPointer == stackPointer { return true }
    return false
  }

  private func describe(_ conclusion: EntryConclusion) -> String {
    switch conclusion.outcome {
    case .noReturnProbe: "no return instance in this slot, so an ordinary return address"
    case .pushed: "a new return instance, so an ordinary return address"
    case .chained: "a chained return instance, so the trampoline as return address"
    case .omittedAtDepthLimit: "no return instance, because the depth limit is reached"
    case .chainWithoutInstance: "the trampoline as return address, and no instance left"
    case .hijackFailed: "no return instance, because the return address could not be replaced"
    }
  }

  /// The name of a probe for messages.
  func probeName(_ probe: UInt32) -> String {
    Int(probe) < probes.count ? probes[Int(probe)].displayName : "probe \(probe)"
  }

  /// Records that the last arrival at the trampoline owes a return that the tape does not have.
  mutating func divergeMissingReturn(_ slot: Int, seen: String) {
    let owed = pending.due(slot)
    diverge(
      slot, .missingReturn, expected: "the return of \(callName(owed))", actual: seen,
      rule: Rule.chainOrder)
  }

  /// A call for messages: its probe, and the hit that entered it.
  func callName(_ instance: PoppedInstance) -> String {
    "\(probeName(UInt32(instance.entry & 0xFF_FFFF))) (entered at hit \(instance.entry >> 24))"
  }
}

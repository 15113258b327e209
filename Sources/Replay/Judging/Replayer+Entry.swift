import ProbeEvents

extension Replayer where Handler: ~Copyable {
  /// Feeds an entry to the handler and checks the return address and the stack window against it.
  @inline(__always)
  mutating func judgeEntry(
    _ hits: HitView, _ index: Int, _ task: JudgedTask, isCompat: Bool
  ) {
    let probe = hits.probe(index)
    if task.owesReturn { return divergeMissingReturn(task, beforeEntryOf: probe) }
    let window = StackWindow(hits, index, isCompat: isCompat)
    guard let returnAddress = returnAddress(hits, index, window) else {
      return stopWithoutReturnAddress(task)
    }
    var trampoline = tasks.spaces[trampoline: task.addressSpace]
    if trampoline == 0 { trampoline = inferTrampoline(hits, window, task) }
    let cause = EntryCause(
      instructionPointer: hits.instructionPointer(index),
      stackPointer: window.stackPointer, returnAddress: returnAddress, trampoline: trampoline,
      entry: nextHit << 24 | UInt64(probe), wantsReturn: wantsReturn[Int(probe)],
      isCompat: window.isCompat,
      stackWord: window.wordCount > 0 ? hits.word(window.first) : 0)
    // The span is used during the call only, in which the columns lend their words.
    unsafe handler.see(stack: hits.window(index).span, at: window.stackPointer)
    let conclusion = handler.entry(slot: task.slot, cause: cause)
    if divergeIfFaulted(task) { return }
    digest.add(UInt64(conclusion.outcome.rawValue) | UInt64(conclusion.dropped) << 8)
    guard apply(conclusion, of: cause, to: task) else { return }
    guard checkWords(hits, window, task, trampoline, firstWord: 1) else { return }
    observer.concluded(hit: nextHit, depth: task.held, .entry(conclusion))
  }

  /// The return address as the program had it: a word of the window, or the link register.
  @inline(__always)
  private func returnAddress(
    _ hits: HitView, _ index: Int, _ window: StackWindow
  ) -> Address? {
    switch architecture {
    case .x86_64: window.wordCount > 0 ? window.word(0, hits) : nil
    case .aarch64: hits.linkRegister(index)
    }
  }

  @inline(never)
  private mutating func stopWithoutReturnAddress(_ task: JudgedTask) {
    stopJudging("hit \(nextHit) has no stack word to read its return address from")
    observer.concluded(hit: nextHit, depth: task.held, .unjudged)
  }

  /// Follows a handler's conclusion in the shadow of its list; false when the return address that
  /// was found contradicts it.
  @inline(__always)
  private mutating func apply(
    _ conclusion: EntryConclusion, of cause: EntryCause, to task: JudgedTask
  ) -> Bool {
    let isTrampoline = cause.trampoline != 0 && cause.returnAddress == cause.trampoline
    evidence.returnSlots &+= 1
    if conclusion.dropped > 0 { drop(Int(conclusion.dropped), task) }
    let agrees =
      switch conclusion.outcome {
      case .pushed: !isTrampoline
      case .chained: isTrampoline && task.held > 0
      case .chainWithoutInstance: isTrampoline
      case .omittedAtDepthLimit, .hijackFailed: true
      case .noReturnProbe: !isTrampoline || holdsInstance(task, at: cause.stackPointer)
      }
    guard agrees else {
      diverge(task, at: cause.returnAddress, isTrampoline: isTrampoline, conclusion)
      return false
    }
    push(conclusion.outcome, cause, task)
    return true
  }

  @inline(never)
  private mutating func drop(_ number: Int, _ task: JudgedTask) {
    for distance in 0..<min(number, task.held) {
      tasks.spaces.leave(task.instance(newest: distance).stackPointer, in: task.addressSpace)
    }
    task.drop(number)
  }

  @inline(never)
  private mutating func diverge(
    _ task: JudgedTask, at returnAddress: Address, isTrampoline: Bool,
    _ conclusion: EntryConclusion
  ) {
    diverge(
      task, .chainMismatch, expected: describe(conclusion),
      actual: isTrampoline
        ? "the return address is the trampoline already"
        : "the return address is \(hexadecimal(returnAddress))",
      rule: Rule.prepare)
  }

  @inline(__always)
  private mutating func push(
    _ outcome: EntryConclusion.Outcome, _ cause: EntryCause, _ task: JudgedTask
  ) {
    let original: Address
    switch outcome {
    case .pushed: original = cause.returnAddress
    case .chained: original = task.instance(newest: 0).originalReturnAddress
    case .chainWithoutInstance:
      return tasks.spaces.leave(cause.stackPointer, in: task.addressSpace)
    case .noReturnProbe, .omittedAtDepthLimit, .hijackFailed: return
    }
    task.push(
      ShadowInstance(stackPointer: cause.stackPointer, originalReturnAddress: original))
  }

  private func holdsInstance(_ task: JudgedTask, at stackPointer: Address) -> Bool {
    // A link register says nothing about where the instance was made.
    architecture == .x86_64 ? task.holdsInstance(at: stackPointer) : task.held > 0
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
  mutating func divergeMissingReturn(_ task: JudgedTask, seen: String) {
    let owed = task.due.instance
    diverge(
      task, .missingReturn, expected: "the return of \(callName(owed))", actual: seen,
      rule: Rule.chainOrder)
  }

  @inline(never)
  private mutating func divergeMissingReturn(_ task: JudgedTask, beforeEntryOf probe: UInt32) {
    divergeMissingReturn(task, seen: "an entry of \(probeName(probe))")
  }

  /// A call for messages: its probe, and the hit that entered it.
  func callName(_ instance: PoppedInstance) -> String {
    "\(probeName(UInt32(instance.entry & 0xFF_FFFF))) (entered at hit \(instance.entry >> 24))"
  }
}

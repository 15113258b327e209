import ProbeEvents

extension Replayer where Handler: ~Copyable {
  /// Feeds an entry to the handler and checks the return address and the stack window against it.
  @inline(__always)
  mutating func judgeEntry(
    _ hits: HitView, _ index: Int, _ task: JudgedTask, _ mode: TaskMode
  ) {
    let probe = hits.probe(index)
    if task.owesReturn { return divergeMissingReturn(task, beforeEntryOf: probe) }
    let window = StackWindow(hits, index, mode)
    guard let returnAddress = returnAddress(hits, index, window) else {
      return stopWithoutReturnAddress(task)
    }
    var trampoline = tasks.spaces[trampoline: task.addressSpace]
    if trampoline == 0 { trampoline = inferTrampoline(hits, index, mode, task) }
    let cause = EntryCause(
      instructionPointer: hits.instructionPointer(index),
      stackPointer: window.stackPointer, returnAddress: returnAddress, trampoline: trampoline,
      entry: EntryNumber.of(hit: nextHit, probe: probe), wantsReturn: wantsReturn[Int(probe)],
      isCompat: window.mode.isCompat,
      stackWord: window.wordCount > 0 ? hits.word(window.first) : 0)
    if Handler.readsMemory {
      // The span is used during the call only, in which the columns lend their words.
      unsafe handler.see(stack: hits.window(index).span, at: window.stackPointer)
    }
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
    switch window.mode.architecture {
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
    // Most entries are of this kind.
    guard conclusion.outcome == .pushed, !isTrampoline else {
      return applyAny(
        conclusion, at: cause.stackPointer, of: cause.instructionPointer, cause.returnAddress,
        isTrampoline: isTrampoline, to: task)
    }
    task.push(
      ShadowInstance(
        stackPointer: cause.stackPointer, originalReturnAddress: cause.returnAddress,
        function: cause.instructionPointer, isChained: false))
    return true
  }

  /// The same for every conclusion. It takes what it needs one by one: a whole cause would have to be in
  /// memory, for all entries.
  @inline(never)
  private mutating func applyAny(
    _ conclusion: EntryConclusion, at slot: Address, of function: Address,
    _ returnAddress: Address, isTrampoline: Bool, to task: JudgedTask
  ) -> Bool {
    let agrees =
      switch conclusion.outcome {
      case .pushed: !isTrampoline
      case .chained: isTrampoline && task.held > 0
      case .chainWithoutInstance: isTrampoline
      case .omittedAtDepthLimit, .hijackFailed: true
      case .noReturnProbe: !isTrampoline || holdsInstance(task, at: slot)
      }
    guard agrees else {
      diverge(task, at: returnAddress, isTrampoline: isTrampoline, conclusion)
      return false
    }
    let original: Address
    switch conclusion.outcome {
    case .pushed: original = returnAddress
    case .chained: original = task.instance(newest: 0).originalReturnAddress
    case .chainWithoutInstance:
      tasks.spaces.leave(slot, in: task.addressSpace)
      return true
    case .noReturnProbe, .omittedAtDepthLimit, .hijackFailed:
      tasks.spaces.noteUntouched(slot, in: task.addressSpace)
      return true
    }
    task.push(
      ShadowInstance(
        stackPointer: slot, originalReturnAddress: original, function: function,
        isChained: conclusion.outcome == .chained))
    return true
  }

  @inline(never)
  private mutating func drop(_ number: Int, _ task: JudgedTask) {
    for distance in 0..<min(number, task.held) {
      tasks.spaces.leave(task.instance(newest: distance).stackPointer, in: task.addressSpace)
    }
    task.drop(number)
  }

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
    let probe = probeName(EntryNumber.probe(instance.entry))
    return "\(probe) (entered at hit \(EntryNumber.hit(instance.entry)))"
  }
}

internal import ProbeEvents

extension KprobeKernel {
  /// Calls the first of some members that has a handler and is not disabled; nil when none has.
  ///
  /// A probe that is alone is called even if it is disabled: it is not armed then, so that only a
  /// stray breakpoint gets here. A break handler is called even of a member that was disabled
  /// meanwhile: its pre-handler has run.
  ///
  /// Kernel: kernel/kprobes.c aggr_pre_handler(), aggr_post_handler(), opt_pre_handler()
  func call(
    _ handler: KprobeCall.Handler, among members: [KprobeID], of entry: KprobeEntryID,
    _ registers: KprobeRegisters, on processor: inout KprobeProcessor
  ) -> KprobeOutcome? {
    let wanted: KprobeHandlers =
      switch handler {
      case .pre, .optimizedPre, .ftracePre: .pre
      case .post, .ftracePost: .post
      case .fault: .fault
      case .breakpoint: .breakpoint
      }
    let isAggregate = table.entries[entry.rawValue].isAggregate
    for (index, member) in members.enumerated() {
      let probe = table.probes[member.rawValue]
      let isSilent = isAggregate && handler != .breakpoint && probe.flags.contains(.disabled)
      guard probe.handlers.contains(wanted), !isSilent else {
        if wanted == .pre && isAggregate { processor.instance = nil }
        continue
      }
      if isAggregate { processor.instance = member }
      let call = KprobeCall(
        handler: handler, probe: member, entry: entry,
        remaining: Array(members.dropFirst(index + 1)))
      processor.calls.append(call)
      return .call(call, registers)
    }
    return nil
  }

  /// A handler has returned.
  ///
  /// Without a call that has not returned, nothing happens.
  ///
  /// - Parameter result: what the handler returned; post-handlers return nothing, give 0.
  public mutating func handlerReturned(
    _ result: Int32, _ registers: KprobeRegisters, on processor: inout KprobeProcessor
  ) -> KprobeOutcome {
    guard let call = processor.calls.popLast() else { return .resume(registers) }
    let isAggregate = table.entries[call.entry.rawValue].isAggregate
    switch call.handler {
    case .pre:
      if result != 0 { return handled(registers, on: &processor) }
      if isAggregate { processor.instance = nil }
      return self.call(.pre, among: call.remaining, of: call.entry, registers, on: &processor)
        ?? setUpStep(call.entry, registers, isReentrant: false, on: &processor)
    case .post:
      if isAggregate { processor.instance = nil }
      return self.call(.post, among: call.remaining, of: call.entry, registers, on: &processor)
        ?? postHandlersDone(registers, on: &processor)
    case .fault:
      if result != 0 || call.hasFixUp { return .resume(registers) }
      return .passOn(registers)
    case .breakpoint:
      if isAggregate { processor.instance = nil }
      if result != 0 {
        return setUpStep(call.entry, registers, isReentrant: false, on: &processor)
      }
      return breakHandlerDeclined(registers)
    case .optimizedPre:
      if isAggregate { processor.instance = nil }
      return optimizedPre(call.remaining, of: call.entry, registers, on: &processor)
    case .ftracePre:
      return ftracePreReturned(result, call, registers, on: &processor)
    case .ftracePost:
      return ftracePostReturned(call, registers, on: &processor)
    }
  }

  /// A pre-handler has sent the processor elsewhere: no step, no post-handlers.
  func handled(
    _ registers: KprobeRegisters, on processor: inout KprobeProcessor
  ) -> KprobeOutcome {
    switch rules.handledHit {
    case .isReset: processor.running = .none
    case .staysRunning: break
    }
    return .resume(registers)
  }

  /// Calls the post-handlers of the running probe, if it has any.
  func callPostHandlers(
    of entry: KprobeEntryID, _ registers: KprobeRegisters, on processor: inout KprobeProcessor
  ) -> KprobeOutcome {
    guard table.hasPostHandler(entry),
      let outcome = call(
        .post, among: table.entries[entry.rawValue].members, of: entry, registers, on: &processor)
    else { return postHandlersDone(registers, on: &processor) }
    return outcome
  }

  /// All post-handlers have run: the probe is done.
  private func postHandlersDone(
    _ registers: KprobeRegisters, on processor: inout KprobeProcessor
  ) -> KprobeOutcome {
    processor.running = .none
    return stepped(registers)
  }
}

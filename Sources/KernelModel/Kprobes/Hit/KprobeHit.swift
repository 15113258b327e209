internal import ProbeEvents

extension KprobeKernel {
  /// A processor has met a breakpoint.
  ///
  /// - Parameters:
  ///   - registers: with the instruction pointer as the trap leaves it: behind the breakpoint on
  ///     x86-64, at it on arm64.
  ///   - isInText: whether the breakpoint is still in the text when the kernel looks.
  ///
  /// Kernel: arch/x86/kernel/kprobes/core.c kprobe_int3_handler(),
  /// arch/arm64/kernel/probes/kprobes.c kprobe_handler(), kprobe_brk_handler()
  public mutating func breakpoint(
    _ registers: KprobeRegisters, isInText: Bool = true, on processor: inout KprobeProcessor
  ) -> KprobeOutcome {
    if registers.isUser {
      switch rules.userBreakpoint {
      case .declined: return .declined
      case .taken: break
      }
    }
    let address = rules.probedAddress(registers)
    guard let entry = table.lookUp(address) else {
      return strayBreakpoint(registers, isInText: isInText, on: &processor)
    }
    guard processor.running == .none else {
      return reenter(entry, registers, on: &processor)
        ?? impossibleStatus(registers, isInText: isInText)
    }
    begin(entry, registers, on: &processor)
    let members = table.entries[entry.rawValue].members
    return call(.pre, among: members, of: entry, registers, on: &processor)
      ?? setUpStep(entry, registers, isReentrant: false, on: &processor)
  }

  /// Makes a probe the running one.
  ///
  /// Kernel: set_current_kprobe() of the architecture
  func begin(
    _ entry: KprobeEntryID, _ registers: KprobeRegisters, on processor: inout KprobeProcessor
  ) {
    processor.status = .active
    setRunning(entry, registers, on: &processor)
  }

  /// Kernel: set_current_kprobe() of the architecture
  func setRunning(
    _ entry: KprobeEntryID, _ registers: KprobeRegisters, on processor: inout KprobeProcessor
  ) {
    processor.running = .entry(entry)
    switch rules.architecture {
    case .aarch64: break
    case .x86_64:
      X86_64.saveFlags(
        registers, of: table.entries[entry.rawValue].instruction, rules.stepping, on: &processor)
    }
  }

  /// A probe was hit while another is handled: its handlers do not run, and its instruction is
  /// executed, if that is possible. Nil when the status is none a running probe can have.
  ///
  /// Kernel: reenter_kprobe() of the architecture
  mutating func reenter(
    _ entry: KprobeEntryID, _ registers: KprobeRegisters, on processor: inout KprobeProcessor
  ) -> KprobeOutcome? {
    switch (processor.status, rules.stepReentry) {
    case (.active, .unrecoverable), (.active, .recoverable), (.done, .unrecoverable),
      (.done, .recoverable), (.stepping, .recoverable):
      table.countMissed(entry)
      return setUpStep(entry, registers, isReentrant: true, on: &processor)
    case (.stepping, .unrecoverable), (.reentered, .unrecoverable), (.reentered, .recoverable):
      return .stop(.unrecoverableReentry)
    case (.none, .unrecoverable), (.none, .recoverable):
      return nil
    }
  }

  /// The kernel warns about the status and lets go of the hit.
  private func impossibleStatus(_ registers: KprobeRegisters, isInText: Bool) -> KprobeOutcome {
    switch (rules.architecture, rules.strayBreakpoint) {
    case (.aarch64, .triedAgain): .resume(registers)
    case (.aarch64, .declined), (.x86_64, .declined): .declined
    case (.x86_64, .triedAgain):
      // Only the kernels with breakpoint stepping get to the look at the text from here.
      rules.stepping == .breakpoint && !isInText
        ? .resume(X86_64.backedUp(registers)) : .declined
    }
  }

  /// A breakpoint where there is no probe: the end of a step, a jprobe's, a removed probe's, or
  /// somebody else's.
  private mutating func strayBreakpoint(
    _ registers: KprobeRegisters, isInText: Bool, on processor: inout KprobeProcessor
  ) -> KprobeOutcome {
    switch rules.architecture {
    case .x86_64:
      if rules.stepping == .breakpoint && processor.isInStep {
        if let outcome = secondBreakpoint(registers, on: &processor) { return outcome }
      }
      if !isInText && rules.strayBreakpoint == .triedAgain {
        return .resume(X86_64.backedUp(registers))
      }
      return callBreakHandler(registers, isInText: isInText, on: &processor) ?? .declined
    case .aarch64:
      if let outcome = callBreakHandler(registers, isInText: isInText, on: &processor) {
        return outcome
      }
      return breakHandlerDeclined(registers)
    }
  }

  /// Offers a stray breakpoint to the running probe, as jprobes needed.
  ///
  /// Kernel: kernel/kprobes.c aggr_break_handler() (until 4.18)
  private func callBreakHandler(
    _ registers: KprobeRegisters, isInText: Bool, on processor: inout KprobeProcessor
  ) -> KprobeOutcome? {
    guard rules.breakHandlers == .called, isInText, case .entry(let entry) = processor.running
    else { return nil }
    let value = table.entries[entry.rawValue]
    let asked = value.isAggregate ? processor.instance : value.members.first
    guard let asked else { return nil }
    if let outcome = call(.breakpoint, among: [asked], of: entry, registers, on: &processor) {
      return outcome
    }
    // The manager was asked, if any of its probes has a break handler, and forgets whose turn it was.
    let hasBreakHandler = value.members.contains {
      table.probes[$0.rawValue].handlers.contains(.breakpoint)
    }
    if value.isAggregate && hasBreakHandler { processor.instance = nil }
    return nil
  }

  /// What comes of a stray breakpoint that no break handler took.
  func breakHandlerDeclined(_ registers: KprobeRegisters) -> KprobeOutcome {
    switch (rules.architecture, rules.strayBreakpoint) {
    case (.aarch64, .triedAgain): .resume(registers)
    case (.aarch64, .declined), (.x86_64, .triedAgain), (.x86_64, .declined): .declined
    }
  }
}

extension KprobeRules {
  /// Where the breakpoint is that a processor has met.
  func probedAddress(_ registers: KprobeRegisters) -> Address {
    switch architecture {
    case .x86_64: registers.instructionPointer &- 1
    case .aarch64: registers.instructionPointer
    }
  }
}

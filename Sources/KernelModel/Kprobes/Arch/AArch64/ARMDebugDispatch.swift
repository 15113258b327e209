extension KprobeKernel {
  /// Takes a debug exception from its entry to whoever deals with it (arm64).
  ///
  /// - Parameters:
  ///   - hooks: who else wants debug exceptions.
  ///   - breakpoints: hardware breakpoints of the processor and the task.
  ///
  /// Kernel: arch/arm64/mm/fault.c do_debug_exception() and debug_fault_info;
  /// arch/arm64/kernel/entry-common.c el1_dbg() and the following
  public mutating func debugException(
    _ exception: ARMDebugException, hooks: ARMDebugHooks,
    breakpoints: inout ARMSuspendedBreakpoints, on processor: inout KprobeProcessor
  ) -> ARMDebugConclusion {
    switch exception.entry {
    case .other: .other
    case .invalid: .invalid
    case .event(.hardwareBreakpoint), .event(.watchpoint): .hardware
    case .event(.breakpointInstruction32): .unhandled(.breakpointInstruction32)
    case .event(.vectorCatch32): .unhandled(.vectorCatch32)
    case .event(.breakpointInstruction): breakpointInstruction(exception, hooks, on: &processor)
    case .event(.step): endOfStep(exception, hooks, &breakpoints, on: &processor)
    }
  }

  /// A BRK instruction: kprobes, then other hooks, then a signal or death.
  ///
  /// Kernel: arch/arm64/kernel/debug-monitors.c brk_handler(), do_el1_brk64(), do_el0_brk64()
  private mutating func breakpointInstruction(
    _ exception: ARMDebugException, _ hooks: ARMDebugHooks, on processor: inout KprobeProcessor
  ) -> ARMDebugConclusion {
    let registers = exception.registers
    if let outcome = kprobeBreakpoint(exception, on: &processor), outcome != .declined {
      return .kprobe(outcome)
    }
    if let hook = hooks.breakHook(exception.immediate, isUser: registers.isUser) {
      return .hook(hook)
    }
    return registers.isUser
      ? .trapSignal(code: 1, isSteppedAgain: false) : .unexpectedBreakpoint
  }

  /// Kprobes' part of a BRK instruction; nil if its immediate is not one of theirs, or the mode is
  /// not.
  private mutating func kprobeBreakpoint(
    _ exception: ARMDebugException, on processor: inout KprobeProcessor
  ) -> KprobeOutcome? {
    let registers = exception.registers
    let isAsked =
      switch rules.debugDispatch {
      case .kprobesFirst: true
      // The hooks of user mode are others.
      case .hooks, .perClass: !registers.isUser
      }
    guard isAsked else { return nil }
    switch (exception.immediate, rules.stepping) {
    case (4, .hardware), (4, .breakpoint): return breakpoint(registers, on: &processor)
    case (6, .breakpoint): return stepTrap(registers, on: &processor)
    default: return nil
    }
  }

  /// The end of a hardware step: suspended hardware breakpoints first, then kprobes, then other
  /// hooks, then a signal or a warning.
  ///
  /// Kernel: arch/arm64/kernel/debug-monitors.c single_step_handler(), do_el1_softstep(),
  /// do_el0_softstep()
  private mutating func endOfStep(
    _ exception: ARMDebugException, _ hooks: ARMDebugHooks,
    _ breakpoints: inout ARMSuspendedBreakpoints, on processor: inout KprobeProcessor
  ) -> ARMDebugConclusion {
    var registers = exception.registers
    if breakpoints.reinstall(isUser: registers.isUser) { return .breakpointsActive }
    switch rules.stepping {
    case .breakpoint: break
    case .hardware:
      let isAsked = rules.debugDispatch == .kprobesFirst || !registers.isUser
      let outcome = isAsked ? stepTrap(registers, on: &processor) : .declined
      if outcome != .declined { return .kprobe(outcome) }
    }
    if let hook = hooks.stepHook(isUser: registers.isUser) { return .hook(hook) }
    if registers.isUser {
      return .trapSignal(code: 2, isSteppedAgain: breakpoints.isTaskStepped)
    }
    registers.flags |= AArch64.softwareStep
    return .unexpectedStep(registers)
  }
}

internal import ProbeEvents

extension KprobeKernel {
  /// Has the probed instruction executed: by its detour, by a copy that runs on, by stepping a
  /// copy, or by doing what it would have done.
  ///
  /// Kernel: setup_singlestep() of the architecture
  func setUpStep(
    _ entry: KprobeEntryID, _ registers: KprobeRegisters, isReentrant: Bool,
    on processor: inout KprobeProcessor
  ) -> KprobeOutcome {
    switch rules.architecture {
    case .x86_64:
      setUpStepX86(entry, registers, isReentrant: isReentrant, on: &processor)
    case .aarch64:
      setUpStepARM(entry, registers, isReentrant: isReentrant, on: &processor)
    }
  }

  /// Marks the running probe as being stepped, putting another aside if it was hit inside of it.
  func beginStep(
    _ entry: KprobeEntryID, _ registers: KprobeRegisters, isReentrant: Bool,
    on processor: inout KprobeProcessor
  ) {
    if isReentrant {
      processor.savePrevious()
      setRunning(entry, registers, on: &processor)
      processor.status = .reentered
    } else {
      processor.status = .stepping
    }
  }

  /// The instruction has been executed: back to the probe inside of which this one was hit, or on
  /// to the post-handlers.
  ///
  /// Kernel: arch/x86/kernel/kprobes/core.c kprobe_post_process(),
  /// arch/arm64/kernel/probes/kprobes.c post_kprobe_handler()
  func finishStep(
    _ entry: KprobeEntryID, _ registers: KprobeRegisters, on processor: inout KprobeProcessor
  ) -> KprobeOutcome {
    if processor.status == .reentered {
      processor.restorePrevious()
      return stepped(registers)
    }
    processor.status = .done
    return callPostHandlers(of: entry, registers, on: &processor)
  }

  /// A processor has met the trap that ends a step: the single-step trap with hardware stepping, on
  /// arm64 also the breakpoint behind the copy. (On x86-64 that one is a breakpoint like any
  /// other.)
  ///
  /// Kernel: arch/x86/kernel/kprobes/core.c kprobe_debug_handler() (until 5.12),
  /// arch/arm64/kernel/probes/kprobes.c kprobe_single_step_handler() (until 5.9),
  /// kprobe_breakpoint_ss_handler()
  public mutating func stepTrap(
    _ registers: KprobeRegisters, on processor: inout KprobeProcessor
  ) -> KprobeOutcome {
    switch rules.architecture {
    case .x86_64: stepTrapX86(registers, on: &processor)
    case .aarch64: stepTrapARM(registers, on: &processor)
    }
  }

  /// The processor goes on. With hardware stepping on x86-64, a trap flag that is still set belongs
  /// to somebody else, who wants the trap as well.
  func stepped(_ registers: KprobeRegisters) -> KprobeOutcome {
    switch (rules.architecture, rules.stepping) {
    case (.x86_64, .hardware):
      registers.flags & X86_64.trapFlag != 0 ? .passOn(registers) : .resume(registers)
    case (.x86_64, .breakpoint), (.aarch64, .hardware), (.aarch64, .breakpoint):
      .resume(registers)
    }
  }
}

internal import ProbeEvents

extension Uprobes {
  /// Handles a breakpoint that was hit, in the kernel's order of questions.
  ///
  /// - Parameter handle: runs one entry handler, which may change the registers.
  ///
  /// Kernel: kernel/events/uprobes.c handle_swbp()
  mutating func handleBreakpoint(
    _ task: inout ProbedTask, now: UInt64, memory: inout some UserMemory,
    handle: (Consumer, inout RegisterFile) -> HandlerCall
  ) -> HitOutcome {
    let layout = rules.architecture.registerLayout
    let address = breakpointAddress(of: task)
    if spaces.indices.contains(task.space), spaces[task.space].xolArea?.trampoline == address {
      return handleTrampoline(&task, memory: &memory)
    }
    switch findActiveProbe(in: task.space, at: address) {
    case .breakpoint:
      switch rules.strayBreakpoint {
      case .sent: task.signals.append(.trapSent)
      case .forced: task.signals.append(.trapForced)
      }
      return .stray
    case .nothing:
      task.registers[layout.instructionPointer] = address
      return .restartsWithoutProbe
    case .probe(let probe):
      // Set before the handlers see it, and for all the ways to restart.
      task.registers[layout.instructionPointer] = address
      guard takeHitReference(probe) else { return .restartsWithoutProbe }
      defer { dropHitReference(probe) }
      return handleHit(
        &task, of: probe, at: address, now: now, memory: &memory, handle: handle)
    }
  }

  /// The part of a hit that has a probe.
  private mutating func handleHit(
    _ task: inout ProbedTask, of probe: UprobeIdentity, at address: Address, now: UInt64,
    memory: inout some UserMemory, handle: (Consumer, inout RegisterFile) -> HandlerCall
  ) -> HitOutcome {
    guard let index = probeIndex(probe), let treatment = probes[index].treatment else {
      return .restartsUnprepared
    }
    guard ensureUtask(&task) else { return .restartsWithoutUtask }
    // Here the kernel asks arch_uprobe_ignore(). Only 32-bit arm ever says yes, of an instruction whose
    // condition does not hold; x86-64 and arm64 have the default, which never does.
    runHandlers(&task, of: probe, now: now, memory: &memory, handle: handle)
    optimize(probe, in: task, at: address)

    let layout = rules.architecture.registerLayout
    if rules.movedInstructionPointer == .skipsInstruction,
      task.registers[layout.instructionPointer] != address
    {
      return .moved
    }
    if treatment.emulateInsteadOfStepping(&task, memory: &memory) { return .emulated }
    return step(&task, of: probe, at: address)
  }

  /// Tries to send the task to its copy.
  mutating func step(
    _ task: inout ProbedTask, of probe: UprobeIdentity, at address: Address
  ) -> HitOutcome {
    switch prepareStep(&task, of: probe, at: address) {
    case .stepping:
      return .stepping
    case .waitsForSlot:
      // It keeps the probe while it sleeps, as it does while it is stepped.
      _ = takeReference(probe)
      task.waiting = ProbedTask.WaitingHit(probe: probe, address: address)
      return .waitsForSlot
    case .refused(let refusal):
      return .restartsUnsteppable(refusal)
    }
  }

  /// A task that slept for want of a slot tries again; nil when it did not sleep.
  ///
  /// Kernel: kernel/events/uprobes.c xol_take_insn_slot()
  public mutating func resumeWaiting(_ task: inout ProbedTask) -> HitOutcome? {
    guard let waiting = task.waiting else { return nil }
    task.waiting = nil
    let outcome = step(&task, of: waiting.probe, at: waiting.address)
    dropReference(waiting.probe)
    return outcome
  }

  /// Where the breakpoint is: x86 reports the address after it.
  ///
  /// Kernel: kernel/events/uprobes.c uprobe_get_swbp_addr();
  /// arch/arm64/kernel/probes/uprobes.c uprobe_get_swbp_addr()
  func breakpointAddress(of task: ProbedTask) -> Address {
    let pointer = task.registers[rules.architecture.registerLayout.instructionPointer]
    switch rules.architecture {
    case .x86_64: return pointer &- 1
    case .aarch64: return pointer
    }
  }

  /// The task's utask, made at its first hit.
  ///
  /// Kernel: kernel/events/uprobes.c get_utask()
  mutating func ensureUtask(_ task: inout ProbedTask) -> Bool {
    if !task.hasUtask { task.hasUtask = allocate() }
    return task.hasUtask
  }

  /// Until 6.11 a hit holds a reference while it is handled; since then it needs none, and even a
  /// probe about to go is handled.
  private mutating func takeHitReference(_ probe: UprobeIdentity) -> Bool {
    switch rules.probeLifetime {
    case .creationAndAccess: takeReference(probe)
    case .perRegistration: true
    }
  }

  private mutating func dropHitReference(_ probe: UprobeIdentity) {
    switch rules.probeLifetime {
    case .creationAndAccess: dropReference(probe)
    case .perRegistration: break
    }
  }
}

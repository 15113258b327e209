public import ProbeEvents

/// How a hit ended.
public enum HitOutcome: Sendable, Hashable {
  /// It was the return trampoline; the task goes on at the address, or got a signal.
  case trampoline(TrampolineConclusion, handlers: [ReturnHandlerCall])
  /// No probe, but a breakpoint: somebody else's. SIGTRAP.
  case stray
  /// No probe and no breakpoint: the instruction is executed as it is now.
  case restartsWithoutProbe
  /// The probe's instruction was not analysed yet: the hit is repeated.
  case restartsUnprepared
  /// There was no memory for a utask: the hit is repeated.
  case restartsWithoutUtask
  /// A handler moved the instruction pointer: the task goes on there.
  case moved
  /// The instruction was emulated.
  case emulated
  /// The task is on its way to the copy.
  case stepping
  /// The task sleeps until there is a free slot.
  case waitsForSlot
  /// The task cannot be stepped: the hit is repeated.
  case restartsUnsteppable(UprobeRefusal)
}

/// What a task is back in user mode with, after it looked at its probes.
public enum NotifyOutcome: Sendable, Hashable {
  /// It was not asked to look.
  case notNotified
  /// A breakpoint was handled.
  case hit(HitOutcome)
  /// A step was ended.
  case step(Uprobes.StepOutcome)
}

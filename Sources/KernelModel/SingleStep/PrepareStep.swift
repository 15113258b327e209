internal import ProbeEvents

extension Uprobes {
  /// What came of the attempt to step.
  enum StepPreparation: Sendable, Hashable {
    /// The task goes to its copy.
    case stepping
    /// All slots are taken; the task sleeps until one is free and tries again.
    case waitsForSlot
    /// It cannot be stepped.
    case refused(UprobeRefusal)
  }

  /// Gives the task a slot and sends it there.
  ///
  /// Kernel: kernel/events/uprobes.c pre_ssout(), xol_get_insn_slot()
  mutating func prepareStep(
    _ task: inout ProbedTask, of probe: UprobeIdentity, at address: Address
  ) -> StepPreparation {
    guard let index = probeIndex(probe), let treatment = probes[index].treatment else {
      return .refused(.dyingProbe)
    }
    // The task keeps the probe until the step is over. Before 6.12 it brought a reference along.
    if rules.probeLifetime == .perRegistration {
      guard probes[index].references > 0 else { return .refused(.dyingProbe) }
    }
    guard ensureXOLArea(in: task.space) else { return .refused(.outOfMemory) }
    guard let slot = spaces[task.space].xolArea?.takeSlot() else { return .waitsForSlot }
    probes[index].references += 1
    task.step.xolAddress = slot
    task.step.address = address
    treatment.preXOL(&task)
    task.step.probe = probe
    task.step.state = .singleStep
    return .stepping
  }

  /// Makes the address space's XOL page if there is none; false when there is no room for it.
  ///
  /// Kernel: kernel/events/uprobes.c get_xol_area(), xol_add_vma()
  mutating func ensureXOLArea(in space: Int) -> Bool {
    guard spaces.indices.contains(space) else { return false }
    if spaces[space].xolArea != nil { return true }
    guard let address = spaces[space].xolPlace, allocate() else { return false }
    spaces[space].xolArea = XOLArea(address: address, slotBytes: rules.slotBytes)
    return true
  }
}

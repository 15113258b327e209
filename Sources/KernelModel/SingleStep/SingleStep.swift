public import ProbeEvents

/// What the kernel keeps of a task while it executes a probed instruction out of line.
///
/// Kernel: include/linux/uprobes.h `struct uprobe_task`, the fields of stepping, and `struct
/// arch_uprobe_task`
public struct SingleStep: Sendable, Hashable, BitwiseCopyable {
  /// Where the task is in a step.
  ///
  /// Kernel: include/linux/uprobes.h `enum uprobe_task_state`
  public enum State: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// In none (`UTASK_RUNNING`).
    case running
    /// On its way through the copy (`UTASK_SSTEP`).
    case singleStep
    /// Past the copy, by the step exception (`UTASK_SSTEP_ACK`).
    case singleStepAcknowledged
    /// Stopped before or in the copy, by a fault or a fatal signal (`UTASK_SSTEP_TRAPPED`).
    case singleStepTrapped
  }

  /// The number that stands for "no fault since the step began".
  public static let noFault: UInt64 = 0xffff_ffff

  /// Where the task is in a step.
  public var state = State.running
  /// The probe whose instruction is executed (`active_uprobe`).
  public var probe: UprobeIdentity?
  /// The address of the original instruction (`vaddr`).
  public var address: Address = 0
  /// The address of the copy (`xol_vaddr`); 0 while the task has no slot.
  public var xolAddress: Address = 0
  /// Number of the last fault of the thread (`trap_nr`, `fault_code`).
  public var faultNumber: UInt64 = 0
  /// What the scratch register held (x86-64).
  public var savedScratch: UInt64 = 0
  /// Whether the task had its own trap flag set (x86-64).
  public var savedTrapFlag = false
  /// The fault number from before the step (x86-64).
  public var savedFaultNumber: UInt64 = 0
  /// Whether the hardware steps the task because of this step (arm64).
  public var isSteppingEnabled = false

  /// No step.
  public init() {}

  /// Whether the copy raised a fault, or jumped to where it faulted.
  ///
  /// Kernel: arch_uprobe_xol_was_trapped() of the architecture
  public var wasTrapped: Bool { faultNumber != Self.noFault }
}

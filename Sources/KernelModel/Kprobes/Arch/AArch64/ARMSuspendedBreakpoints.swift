/// Hardware breakpoints that are switched off while the instruction they are at is stepped.
///
/// Kernel: arch/arm64/kernel/hw_breakpoint.c, `struct debug_info` and `stepping_kernel_bp`
public struct ARMSuspendedBreakpoints: Sendable, Hashable {
  /// Whether the task's breakpoints are off (`bps_disabled`).
  public var areBreakpointsOff = false
  /// Whether the task's watchpoints are off (`wps_disabled`).
  public var areWatchpointsOff = false
  /// Whether a debugger was stepping the task anyway (`suspended_step`).
  public var isDebuggerStepping = false
  /// Whether the task is being stepped (TIF_SINGLESTEP).
  public var isTaskStepped = false
  /// Whether the kernel is stepping over one of its own, and whether it was being stepped anyway.
  public var kernelStep = KernelStep.none

  /// What the kernel's own step is for.
  public enum KernelStep: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// There is none.
    case none
    /// For a breakpoint (ARM_KERNEL_STEP_ACTIVE).
    case active
    /// For a breakpoint, and somebody else was stepping (ARM_KERNEL_STEP_SUSPEND).
    case suspended
  }

  /// All are on.
  public init() {}

  /// Switches them on again after the step. Returns whether that was all the step was for.
  ///
  /// Kernel: arch/arm64/kernel/hw_breakpoint.c reinstall_suspended_bps(), whose result is the
  /// opposite
  mutating func reinstall(isUser: Bool) -> Bool {
    if isUser {
      guard areBreakpointsOff || areWatchpointsOff else { return false }
      areBreakpointsOff = false
      areWatchpointsOff = false
      if isDebuggerStepping {
        isDebuggerStepping = false
        return false
      }
      isTaskStepped = false
      return true
    }
    let step = kernelStep
    kernelStep = .none
    switch step {
    case .none, .suspended: return false
    case .active: return true
    }
  }
}

internal import ProbeEvents

extension ReturnProbeRules {
  /// How the return trampoline enters the kernel.
  ///
  /// Evidence: ff474a78cef5 "uprobe: Add uretprobe syscall to speed up return probe" (6.11), x86-64
  /// only. The rules of the return instances are the same either way: the kernel takes what the
  /// trampoline pushed off the stack pointer before it looks at them.
  public enum ReturnTrampoline: String, Sendable, Hashable, CaseIterable {
    /// One breakpoint instruction.
    case breakpoint
    /// System call 335; tasks in 32-bit mode still hit a breakpoint.
    case systemCall = "syscall"

    init(_ epoch: Epoch, _ architecture: Architecture) {
      switch architecture {
      case .x86_64: self = epoch < .e4 ? .breakpoint : .systemCall
      case .aarch64: self = .breakpoint
      }
    }
  }
}

/// What is going on when the kernel asks whether a return instance is still alive.
///
/// Kernel: include/linux/uprobes.h `enum rp_check` (4.3)
public enum LivenessContext: Sendable, Hashable, CaseIterable, BitwiseCopyable {
  /// A probed function was entered by a call (`RP_CHECK_CALL`).
  case call
  /// A probed function was entered by a jump: its return slot holds the trampoline already
  /// (`RP_CHECK_CHAIN_CALL`).
  case chainCall
  /// The trampoline was reached (`RP_CHECK_RET`).
  case `return`
}

extension ReturnProbeRules {
  /// How the kernel tells a return instance that may still return from one that was jumped over.
  ///
  /// Evidence: 4.3 added the `stack` field, cleanup_return_instances(), find_next_ret_chain() and
  /// arch_uretprobe_is_alive(); the distinction of calls from chained calls is
  /// db087ef69a2b "uprobes/x86: Make arch_uretprobe_is_alive(RP_CHECK_CALL) more clever" (4.3). arm64
  /// has had it as long as it has had uprobes (4.10).
  ///
  /// Effect: before, a longjmp past a probed call makes the next return run the wrong handlers and
  /// jump to the wrong place.
  public enum Liveness: UInt8, Sendable, Hashable, CaseIterable, BitwiseCopyable {
    /// Every instance counts as alive.
    case none
    /// By comparison with the stack pointer, see ``ReturnProbeRules/isAlive(_:_:stackPointer:)``.
    case stackPointer

    init(_ epoch: Epoch) {
      self = epoch < .e3 ? .none : .stackPointer
    }
  }
}

public import ProbeEvents

extension X86_64 {
  /// Whether a return instance may still return, by the stack pointer alone.
  ///
  /// A call pushed its return address below the frames that are alive. After a return the stack
  /// pointer is one word above the slot, which is where a caller that was probed at its first
  /// instruction may have its own slot: equality means alive there.
  ///
  /// Kernel: arch/x86/kernel/uprobes.c arch_uretprobe_is_alive() (4.3)
  @inlinable @inline(__always)
  static func isAlive(
    _ instance: ReturnInstance, _ context: LivenessContext, stackPointer: Address
  ) -> Bool {
    switch context {
    case .call: stackPointer < instance.stackPointer
    case .chainCall: stackPointer <= instance.stackPointer
    case .return: stackPointer <= instance.stackPointer
    }
  }
}

public import ProbeEvents

extension AArch64 {
  /// Whether a return instance may still return, by the stack pointer alone.
  ///
  /// A return does not move the stack pointer, and a caller must have made a frame to save its link
  /// register before it could call: at a return its stack pointer was strictly above.
  ///
  /// Kernel: arch/arm64/kernel/probes/uprobes.c arch_uretprobe_is_alive() (4.10)
  @inlinable @inline(__always)
  static func isAlive(
    _ instance: ReturnInstance, _ context: LivenessContext, stackPointer: Address
  ) -> Bool {
    switch context {
    case .call: stackPointer < instance.stackPointer
    case .chainCall: stackPointer <= instance.stackPointer
    case .return: stackPointer < instance.stackPointer
    }
  }
}

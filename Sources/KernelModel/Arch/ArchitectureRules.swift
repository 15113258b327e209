public import ProbeEvents

/// The kernel's architecture hooks. Both architectures are always compiled; the rules say which one
/// a tape is about.
extension ReturnProbeRules {
  /// Whether a return instance may still return.
  ///
  /// Kernel: arch_uretprobe_is_alive() of the architecture; without one (and before 4.3) every
  /// instance counts as alive.
  @inlinable @inline(__always)
  public func isAlive(
    _ instance: ReturnInstance, _ context: LivenessContext, stackPointer: Address
  ) -> Bool {
    switch (liveness, architecture) {
    case (.none, .x86_64), (.none, .aarch64):
      true
    case (.stackPointer, .x86_64):
      X86_64.isAlive(instance, context, stackPointer: stackPointer)
    case (.stackPointer, .aarch64):
      AArch64.isAlive(instance, context, stackPointer: stackPointer)
    }
  }

  /// The return address as the kernel reads it while it puts the trampoline in its place; nil when
  /// it takes that for a failure.
  ///
  /// Kernel: arch_uretprobe_hijack_return_addr() of the architecture
  @inlinable @inline(__always)
  func hijackReturnAddress(_ cause: EntryCause) -> Address? {
    let original =
      switch architecture {
      case .x86_64: X86_64.returnAddress(cause, wordSize: compatWordSize)
      case .aarch64: AArch64.returnAddress(cause)
      }
    // The hook reports failure as an address of all ones, so a call that really returns there looks
    // like one: it gets no instance, though its return address has been replaced.
    return original == .max ? nil : original
  }
}

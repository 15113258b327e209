public import ProbeEvents

extension AArch64 {
  /// The return address that the kernel reads from the link register. 32-bit tasks are never probed.
  ///
  /// Kernel: arch/arm64/kernel/probes/uprobes.c arch_uretprobe_hijack_return_addr()
  @inlinable @inline(__always)
  static func returnAddress(_ cause: EntryCause) -> Address {
    cause.returnAddress
  }
}
